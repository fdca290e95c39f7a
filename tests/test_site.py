"""The sources of the documentation site: every public name has its place, pages keep their links."""

import ast
import importlib
import inspect
import itertools
import json
import posixpath
import re
import sys
from pathlib import Path, PurePosixPath

import pytest
from pages import steps_of

import trimatte as tm

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "api"

if not REFERENCE.exists():
    pytest.skip("the documents are not beside the tests", allow_module_level=True)

MODULES = (
    *(name for name in dir(tm) if inspect.ismodule(getattr(tm, name))),
    "methods",
    "pymatting",
    "integrations.rembg",
)


def names_in_the_reference():
    """Full names that the pages of the reference list or describe."""
    names = set()
    for page in REFERENCE.glob("*.md"):
        module = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\.\. (?:module|reference|currentmodule):: ([\w.]+)", line):
                module = found[1]
            elif found := re.match(r"(?:   |\.\. py:data:: )(\w+)$", line):
                names.add(f"{module}.{found[1]}")
        names |= set(re.findall(r"^- `(trimatte[\w.]+)` is", page.read_text(encoding="utf-8"), re.MULTILINE))
    return names


def public_names(module):
    """Names that a module declares; without a declaration, its own classes and functions."""
    thing = importlib.import_module(f"trimatte.{module}" if module else "trimatte")
    if module == "integrations.rembg":
        return ["install", "remove", "SMALLEST_SIDE", "SMALLEST_SPECK"]
    names = getattr(thing, "__all__", None) or [name for name in vars(thing) if _is_own(thing, name)]
    return [name for name in names if not inspect.ismodule(getattr(thing, name))]


def _is_own(module, name):
    thing = getattr(module, name)
    return not name.startswith("_") and getattr(thing, "__module__", "").startswith(module.__name__)


@pytest.mark.parametrize("module", ["", *MODULES])
def test_every_public_name_is_in_the_reference(module):
    listed = names_in_the_reference()
    prefix = f"trimatte.{module}." if module else "trimatte."
    assert [name for name in public_names(module) if prefix + name not in listed] == []


def test_the_reference_lists_nothing_that_is_not_there():
    for full in names_in_the_reference():
        module, _, name = full.rpartition(".")
        assert hasattr(importlib.import_module(module), name), full


def tool(name):
    """A module of tools/, which may import its neighbours."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def stage_site():
    return tool("stage_site")


def test_links_of_staged_pages_lead_somewhere(stage_site):
    contents = stage_site.staged()
    headings = re.findall(r"^## (\w+)$", contents["index.md"].decode(), re.MULTILINE)
    landing = [None, *(f"#{heading.lower()}" for heading in headings)]
    places = {*contents, *(str(parent) for place in contents for parent in PurePosixPath(place).parents)}
    lost = []
    for place, content in contents.items():
        if not place.endswith(".md"):
            continue
        for match in stage_site.LINK.finditer(stage_site.CODE.sub("", content.decode())):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(place), match[2]))
            if target not in places or (target == "index.md" and match[3] not in landing):
                lost.append((place, match[2]))
    assert lost == []


def test_a_staged_page_names_its_neighbours_from_its_new_place(stage_site):
    files = {}
    text = (
        "[a](docs/python.md#x), [b](LICENSE), [c](https://example.org), [d](#here)\n```\n[e](docs/batch.md)\n```\n"
    )
    moved = stage_site.with_moved_links(text, ROOT / "DESIGN.md", "project/design.md", files)
    assert moved == (
        "[a](../python.md#x), [b](files/LICENSE), [c](https://example.org), [d](#here)\n"
        "```\n[e](docs/batch.md)\n```\n"
    )
    assert files == {"project/files/LICENSE": ROOT / "LICENSE"}


def test_staging_twice_writes_nothing_anew_and_removes_pages_that_are_gone(stage_site, tmp_path):
    stage_site.write({"a.md": b"a", "deep/b.md": b"b"}, tmp_path)
    before = (tmp_path / "a.md").stat().st_mtime_ns
    stage_site.write({"a.md": b"a"}, tmp_path)
    assert (tmp_path / "a.md").stat().st_mtime_ns == before
    assert not (tmp_path / "deep" / "b.md").exists()


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.stem)
def test_blocks_of_python_compile(page):
    for step in steps_of(page):
        if step.kind == "python":
            compile(step.text, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/gallery/plot_*.py")), ids=lambda path: path.stem)
def test_an_example_says_what_it_shows_and_takes_names_that_exist(example):
    tree = ast.parse(example.read_text(encoding="utf-8"))
    title, underline, empty, *text = ast.get_docstring(tree).splitlines()
    assert underline == "=" * len(title)
    assert not empty
    assert len(text) >= 2
    for names in re.findall(r"\btm((?:\.\w+)+)", example.read_text(encoding="utf-8")):
        thing = tm
        for name in names[1:].split("."):
            thing = getattr(thing, name)


def results_of_asv(hash_, day, **times):
    """A file as asv writes it, with the times of two methods."""
    return {
        "commit_hash": hash_,
        "date": 86_400_000 * day,
        "python": "3.11",
        "result_columns": ["result", "params", "started_at", "samples"],
        "results": {
            "bench_affinities.Affinities.time_alpha": [
                [times["best"], times["knn"]],
                [["'hair'"], ["1.0"], ["'best'", "'knn'"]],
                86_400_000 * (day + 1),
            ]
        },
    }


def test_the_page_of_commits_is_made_from_the_files_of_asv(tmp_path):
    site_commits = tool("site_commits")
    for file in (
        results_of_asv("bbbbbbbbbb", 20, best=0.51234, knn=1.5),
        results_of_asv("aaaaaaaaaa", 10, best=0.75, knn=float("nan")),
    ):
        (tmp_path / f"{file['commit_hash']}-env.json").write_text(json.dumps(file), encoding="utf-8")
    (tmp_path / "machine.json").write_text('{"cpu": "a processor", "ram": "8 GB", "os": "a system"}')
    text = site_commits.page(tmp_path)
    assert "a processor, 8 GB of memory, a system." in text
    assert "| `aaaaaaaa` | 1970-01-11 00:00 | 1970-01-12 00:00 | 3.11 |" in text
    assert "|  | `aaaaaaaa` | `bbbbbbbb` |" in text
    assert "| hair, 1.0, best | 0.75 | 0.51 |" in text
    assert "| hair, 1.0, knn |  | 1.5 |" in text


def tables_of(page):
    """The cells of a page's tables: {heading: {first cell: {column: cell}}}."""
    tables = {}
    for section in page.split("\n## ")[1:]:
        title, *lines = section.splitlines()
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
        tables[title] = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}
    return tables


def test_the_page_of_commits_shows_every_committed_number():
    site_commits = tool("site_commits")
    shown = tables_of(site_commits.page(site_commits.RECORDED))
    tables = {table.benchmark: table for table in site_commits.TABLES}
    paths = sorted(site_commits.RECORDED.glob("*-*.json"))
    assert len(paths) >= 2
    for path in paths:
        file = json.loads(path.read_text(encoding="utf-8"))
        for benchmark, (values, parameters, *_) in file["results"].items():
            table = tables[benchmark]
            for names, value in zip(itertools.product(*parameters), values or (), strict=values is not None):
                case = ", ".join(names).replace("'", "")
                said = "" if value is None else table.shown.format(table.scale * value)
                assert shown[table.title][case][f"`{file['commit_hash'][:8]}`"] == said
