"""What a page in Markdown asks its reader to do, step by step, and a reader who does it."""

import re
import shlex
from typing import NamedTuple

from trimatte.cli import run

# What a reader does outside of the folder; the first words of such lines.
ELSEWHERE = ("pip install", "dask ", "gunicorn ")


class Step(NamedTuple):
    """A piece of code in a page; kind is the word behind its fence, or "shell" for indented lines."""

    kind: str
    text: str


def steps_of(page):
    """Yield the pieces of code in a page, in their order.

    Code is fenced, or indented by four spaces more than what is around it and after an empty line.
    """
    fence, lines = None, []
    before, inside = "", False
    for line in [*page.read_text(encoding="utf-8").splitlines(), "end"]:
        if fence is not None:
            if line.strip() == "```":
                yield Step(fence, "\n".join(lines) + "\n")
                fence, lines = None, []
            else:
                lines.append(line)
            continue
        if re.match(r" {4,}\S", line) and (inside or not before):
            inside = True
            lines.append(line.strip())
        elif inside and line.strip():
            yield Step("shell", "\n".join(lines).replace("\\\n", " ") + "\n")
            inside, lines = False, []
        if line.startswith("```"):
            fence = line[3:].strip()
        before = line.strip()


class Reader:
    """Does what a page says, in the current folder.

    Parameters
    ----------
    page : Path
        The page.
    instead : mapping of str to str
        Texts of the page that are replaced, such as sizes of pictures. Each must occur.
    others : mapping of str to callable
        Commands other than finished ones of trimatte, by their first words; they get the words.
    """

    def __init__(self, page, instead=(), others=()):
        self.page, self.instead, self.others = page, dict(instead), dict(others)
        self.names = {"__name__": "__main__"}

    def read(self):
        """Do all steps."""
        unused = set(self.instead)
        for kind, text in steps_of(self.page):
            for old, new in self.instead.items():
                if old in text:
                    unused.discard(old)
                    text = text.replace(old, new)
            if kind == "python":
                exec(compile(text, self.page.name, "exec"), self.names)
            elif kind == "shell":
                for line in text.splitlines():
                    self.enter(line)
        assert not unused, f"{self.page.name} has no {unused}"

    def enter(self, line):
        """Enter a line in a shell."""
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):  # variables of the environment
            words.pop(0)
        said = " ".join(words)
        if not words or said.startswith(ELSEWHERE):
            return
        for start, do in self.others.items():
            if said.startswith(start):
                do(words)
                return
        assert words[0] == "trimatte", f"{self.page.name}: nobody enters {line!r}"
        assert run(words[1:]) == 0, line
