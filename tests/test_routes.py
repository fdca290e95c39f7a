"""The routes in CONTRIBUTING.md lead from a public function to an inner loop.

The section ``## Routes`` holds one list below each heading ``### NAME: at most N files``, with an
item ``1. `path`: `name` does something.`` for each file that a reader opens.
"""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"

if not CONTRIBUTING.exists():
    pytest.skip("the sources are not beside the tests", allow_module_level=True)


class Stop(NamedTuple):
    number: int
    path: str
    name: str


class Route(NamedTuple):
    limit: int
    stops: list[Stop]


def routes_of(text):
    """Routes by name; ValueError if an item of a list is not in the form above."""
    section = re.search(r"^## Routes$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    routes = {}
    for block in re.split(r"^### ", section, flags=re.MULTILINE)[1:]:
        heading, *lines = block.splitlines()
        name, limit = re.fullmatch(r"(.+): at most (\d+) files", heading).groups()
        stops = []
        for line in filter(None, lines):
            found = re.fullmatch(r"(\d+)\. `([^`]+)`: `([^`]+)` .+\.", line)
            if found is None:
                raise ValueError(f"{name}: expected '1. `path`: `name` does something.', got {line!r}")
            stops.append(Stop(int(found[1]), found[2], found[3]))
        routes[name] = Route(int(limit), stops)
    return routes


ROUTES = routes_of(CONTRIBUTING.read_text(encoding="utf-8"))


def uses(path, name):
    return re.search(rf"\b{re.escape(name)}\b", (ROOT / path).read_text(encoding="utf-8")) is not None


def test_the_three_routes_are_there():
    assert set(ROUTES) == {"Closed-form matting", "Multigrid's cycle", "Composite network"}


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_is_no_longer_than_it_says(name):
    limit, stops = ROUTES[name]
    assert [stop.number for stop in stops] == list(range(1, len(stops) + 1))
    assert 0 < len(stops) <= limit
    assert len({stop.path for stop in stops}) == len(stops)


@pytest.mark.parametrize("stop", [stop for route in ROUTES.values() for stop in route.stops], ids=str)
def test_a_file_holds_what_is_looked_for(stop):
    assert (ROOT / stop.path).is_file()
    assert uses(stop.path, stop.name)


@pytest.mark.parametrize("name", ROUTES)
def test_each_file_leads_to_the_next(name):
    stops = ROUTES[name].stops
    assert [after.name for before, after in pairwise(stops) if not uses(before.path, after.name)] == []


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_leads_from_the_package_to_a_kernel(name):
    first, *_, last = ROUTES[name].stops
    assert first.path.startswith("python/trimatte/")
    assert last.path.startswith("cpp/src/")


def test_another_form_is_refused():
    with pytest.raises(
        ValueError, match=r"A: expected '1\. `path`: `name` does something\.', got '1\. alpha\.py'"
    ):
        routes_of("## Routes\n\n### A: at most 1 files\n\n1. alpha.py\n")
