"""Lay out the pages of the site: what Sphinx reads, in a folder of its own.

    python tools/stage_site.py FOLDER

FOLDER gets a copy of docs/, and in FOLDER/project/ the pages of the repository that lie elsewhere,
such as DESIGN.md. Links between pages are relative and lead somewhere on GitHub, where the pages
stay in their places; the copies have the links that lead to the same pages from their new places.
A link to a file that is no page leads to a copy of it. A file that has not changed is not written,
so that Sphinx need not read it again.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# Pages outside docs/ and their places on the site. The landing page takes the place of README.md.
ELSEWHERE = {
    "README.md": "index.md",
    "DESIGN.md": "project/design.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "training/README.md": "project/training.md",
    "training/CREDITS.md": "project/credits.md",
    "integrations/comfyui/README.md": "project/comfyui.md",
    "integrations/gimp/README.md": "project/gimp.md",
}
LISTS = ("design/README.md", "experiments/README.md")  # pages that list the others of their folder
PAGES_OF_FOLDER = "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
FILES = "project/files"  # copies of linked files that are no pages
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=[\s)])")
CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def place_of(path):
    """Return where a file of the repository lies on the site, or None if it has no place yet."""
    name = path.relative_to(ROOT).as_posix()
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    return path.relative_to(DOCS).as_posix() if path.is_relative_to(DOCS) else None


def with_moved_links(text, source, place, files):
    """Return the text of the page `source` with the links that it needs at `place`.

    Linked files that are no pages are put into `files`, by their place on the site.
    """

    def moved(match):
        target = (source.parent / match[2]).resolve()
        if not target.is_relative_to(ROOT) or not target.is_file():
            return match[0]
        there = place_of(target)
        if there is None:
            there = f"{FILES}/{target.relative_to(ROOT).as_posix()}"
            files[there] = target
        relative = os.path.relpath(there, os.path.dirname(place) or ".").replace(os.sep, "/")
        return f"{match[1]}{relative}{match[3] or ''}"

    pieces, end = [], 0
    for code in CODE.finditer(text):
        pieces += [LINK.sub(moved, text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*pieces, LINK.sub(moved, text[end:])])


def staged():
    """Return the content of every file of the staged folder, by its place."""
    sources = {ELSEWHERE[name]: ROOT / name for name in ELSEWHERE if name != "README.md"}
    sources |= {
        path.relative_to(DOCS).as_posix(): path
        for path in DOCS.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    files, contents = {}, {}
    for place, source in sources.items():
        content = source.read_bytes()
        if source.suffix == ".md":
            text = with_moved_links(content.decode(), source, place, files)
            content = (text + (PAGES_OF_FOLDER if place in LISTS else "")).encode()
        contents[place] = content
    return contents | {place: path.read_bytes() for place, path in files.items()}


def write(contents, folder):
    """Write what has changed, and remove pages that are gone; what Sphinx generates there stays."""
    for place, content in contents.items():
        path = folder / place
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in contents:
            path.unlink()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(staged(), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
