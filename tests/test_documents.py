"""The pages in Markdown: their links, the width of their lines, their commands and their Python lines."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import trimatte as tm
from trimatte.cli import run

ROOT = Path(__file__).parents[1]

if not (ROOT / "README.md").exists() or not (ROOT / "docs").exists():
    pytest.skip("the documents are not beside the tests", allow_module_level=True)

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("integrations/**/*.md"),
        ROOT / "benchmarks" / "README.md",
    ]
)
WIDTH = 100
LINES_OF_README = 120
BYTES_OF_DESIGN = 15_000

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


class Line(NamedTuple):
    """A line of a page; kind is "prose", "table" or "code"."""

    number: int
    kind: str
    text: str


def lines_of(page):
    """The lines of a page. Code is fenced, or indented by four spaces after an empty line."""
    lines, fenced, before = [], False, ""
    for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if text.lstrip().startswith("```"):
            fenced = not fenced
            kind = "code"
        elif fenced or (text.startswith("    ") and before in ("", "code")):
            kind = "code"
        else:
            kind = "table" if text.startswith("|") else "prose"
        lines.append(Line(number, kind, text))
        before = kind if text else ""
    return lines


def words_of(page):
    """Prose and tables in one piece, without code."""
    text = "\n".join(line.text for line in lines_of(page) if line.kind != "code")
    return re.sub(r"`[^`]*`", "", text)


def anchors_of(page):
    """The anchors of a page's headings, as GitHub names them."""
    anchors = []
    for line in lines_of(page):
        if line.kind == "prose" and (heading := re.match(r"#+ +(.*)", line.text)):
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            count = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other) is not None for other in anchors)
            anchors.append(f"{anchor}-{count}" if count else anchor)
    return anchors


def python_blocks(page):
    """The fenced blocks of Python in a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands_of(page):
    """Calls of the command line in a page: in blocks of code, and in spans of code."""
    code = "\n".join(line.text.strip() for line in lines_of(page) if line.kind == "code").replace("\\\n", " ")
    spans = re.findall(r"`([^`]+)`", "\n".join(line.text for line in lines_of(page) if line.kind != "code"))
    calls = [*code.splitlines(), *(" ".join(span.split()) for span in spans)]
    return [call for call in calls if re.match(r"trimatte [a-z]", call)]


def named_files(text):
    """Paths in spans of code that begin with a folder of this repository."""
    folders = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir())
    return re.findall(rf"`((?:{folders})/[\w./-]+)`", text)


@every_page
def test_links_lead_somewhere(page):
    lost = []
    for target in re.findall(r"\[(?:[^][]|\[[^]]*\])*\]\(([^)\s]+)\)", words_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            lost.append(target)
    assert lost == []


@every_page
def test_prose_is_narrow(page):
    wide = [
        f"{line.number}: {line.text}" for line in lines_of(page) if line.kind == "prose" and len(line.text) > WIDTH
    ]
    assert wide == []


@every_page
def test_no_sentence_opens_with_of(page):
    assert re.findall(r"(?:^|[.!?:]\s+|^(?:[-*|>]|\d+\.)\s+)Of\b.{0,60}", words_of(page), re.MULTILINE) == []


def test_the_first_pages_are_short():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(readme) <= LINES_OF_README
    assert max(map(len, readme)) <= WIDTH
    assert (ROOT / "DESIGN.md").stat().st_size <= BYTES_OF_DESIGN


@every_page
def test_commands_and_their_options_exist(page, capsys):
    for call in commands_of(page):
        words = shlex.split(call, comments=True)
        assert run([words[1], "--help"]) == 0, call
        text = capsys.readouterr().out
        for option in (word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), f"{call}: {option} is no option"


@every_page
def test_targets_of_make_exist(page):
    targets = re.findall(r"^([\w -]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    known = {name for names in targets for name in names.split()}
    text = page.read_text(encoding="utf-8")
    for named in re.findall(r"(?:`|^    )make(?: [A-Z]+=\S+)? ([a-z][\w-]*)(?=`| *#|$)", text, re.MULTILINE):
        assert named in known, f"make {named}"


@every_page
def test_names_of_the_library_exist(page):
    for names in re.findall(r"\btm((?:\.\w+)+)", page.read_text(encoding="utf-8")):
        thing = tm
        for name in names[1:].split("."):
            thing = getattr(thing, name)


def test_the_three_lines_of_the_readme_cut_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene = tm.datasets.dandelion(48, 64)
    tm.io.save_image("photo.jpg", (scene.image * 255).astype(np.uint8))
    tm.io.save_image("trimap.png", scene.trimap)
    (lines,) = python_blocks(ROOT / "README.md")
    exec(compile(lines, "README.md", "exec"), {})
    assert tm.io.read_picture("cutout.png").pixels.shape == (48, 64, 4)


def test_the_lines_of_the_python_page_run():
    scene = tm.datasets.hair(64, 96, noise=0.01)
    painted = scene.image.copy()
    painted[:6], painted[-6:, 40:56] = 0, 1
    green, blue = (0.1, 0.7, 0.2), (0.1, 0.2, 0.7)
    names = {
        "screen": tm.composite(scene.foreground, scene.alpha, green),
        "before_blue": tm.composite(scene.foreground, scene.alpha, blue),
        "green": green,
        "blue": blue,
        "plate": scene.background,
        "image": scene.image,
        "trimap": scene.trimap,
        "mask": scene.alpha > 0.5,
        "network": lambda picture: picture.max(axis=2),
        "painted": painted,
        "beach": tm.datasets.net(64, 96).image,
    }
    (lines,) = python_blocks(ROOT / "docs" / "python.md")
    exec(compile(lines, "python.md", "exec"), names)
    assert names["alpha"].shape == (400, 600)
    assert names["errors"].sad > 0


def test_the_lines_of_the_page_on_laplacians_run():
    scene = tm.datasets.hair(48, 56, noise=0.01)
    names = {"image": scene.image, "trimap": scene.trimap}
    (lines,) = python_blocks(ROOT / "docs" / "laplacians.md")
    exec(compile(lines, "laplacians.md", "exec"), names)
    assert names["alpha"].shape == (48, 56)
    assert abs(names["of_superpixels"] - np.linspace(0, 1, 100)).max() < 1e-3
    assert names["failed"] == 0


def test_every_function_of_pymatting_in_the_page_exists():
    import trimatte.pymatting

    text = (ROOT / "docs" / "pymatting.md").read_text(encoding="utf-8")
    rows = re.search(r"^\| PyMatting \| trimatte \|\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)[1]
    named = {name for row in rows.splitlines() for name in re.findall(r"`(\w+)[(`]", row.split("|")[1])}
    assert len(named) > 15
    assert [name for name in sorted(named) if not hasattr(trimatte.pymatting, name)] == []


def test_the_files_on_the_routes_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = re.search(r"^## Routes\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert [name for name in named_files(section[1]) if not (ROOT / name).exists()] == []
