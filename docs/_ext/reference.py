"""The directive `reference`: a table of public names, then what each of them is.

::

    .. reference:: trimatte.colour

       linear_from_srgb
       srgb_from_linear
"""

import importlib
import inspect
import json
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


def kind_of(thing):
    """Return the name of the directive of autodoc that describes a thing."""
    if not inspect.isclass(thing):
        return "autofunction"
    return "autoexception" if issubclass(thing, Exception) else "autoclass"


def summary_of(thing):
    """Return the first paragraph of a docstring without the numbers of its references."""
    paragraph = inspect.getdoc(thing).split("\n\n")[0]
    return re.sub(r",? ?\[\d+\]_", "", " ".join(paragraph.split()))


def lines_for(module, names, used):
    """Return the table and the descriptions in reStructuredText."""
    found = importlib.import_module(module)
    lines = [f".. currentmodule:: {module}", "", ".. list-table::", "   :widths: auto", ""]
    for name in names:
        lines += [f"   * - :py:obj:`{name}`", f"     - {summary_of(getattr(found, name))}"]
    for name in names:
        lines += ["", f".. {kind_of(getattr(found, name))}:: {name}"]
        if inspect.isclass(getattr(found, name)):
            lines.append("   :members:")
        if examples := used.get(f"{module}.{name}"):
            links = [f":doc:`{title} </gallery/{Path(file).stem}>`" for file, _, _, _, title in examples]
            lines += ["", f"   In the gallery: {', '.join(links)}."]
    return lines


class Reference(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self):
        folder = Path(self.config.sphinx_gallery_conf["backreferences_dir"])
        listed = Path(self.env.srcdir, folder, "backreferences_all.json")
        used = json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else {}
        lines = lines_for(self.arguments[0], [line for line in self.content if line], used)
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, source=self.get_source_info()[0]), self.content_offset, holder)
        return holder.children


def setup(app):
    app.add_directive("reference", Reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
