"""Where lines break: not in short names such as --band, not before a unit, and not at every word of a cell.

site.css gives the classes their meaning.
"""

import re

from docutils import nodes

BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=(?:s|ms|µs|MP|MB|GB|%)(?!\w))")
NO_BREAK_SPACE = "\u00a0"
SHORT_NAME, LONG_CELL = 20, 24  # characters


def keep_units(_app, doctree):
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, (nodes.literal, nodes.FixedTextElement)) and BEFORE_A_UNIT.search(text):
            text.parent.replace(text, nodes.Text(BEFORE_A_UNIT.sub(NO_BREAK_SPACE, text)))


def mark(_app, doctree):
    for name in doctree.findall(nodes.literal):
        if len(name.astext()) <= SHORT_NAME:
            name["classes"].append("short")
    for cell in doctree.findall(nodes.entry):
        if len(cell.astext()) > LONG_CELL:
            cell["classes"].append("long")


def setup(app):
    app.connect("doctree-read", keep_units)
    app.connect("doctree-read", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
