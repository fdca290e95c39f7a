"""Formulas as MathML, which browsers show by themselves: no script, no fonts, no network."""

import re

from docutils.utils.math import wrap_math_code
from docutils.utils.math.latex2mathml import tex2mathml


def inline(translator, node):
    translator.body.append(tex2mathml(node.astext()))
    raise_skip()


def block(translator, node):
    tex = wrap_math_code(node.astext(), as_block=True)
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    mathml = re.sub(r"\n\s*", "", tex2mathml(tex, as_block=True))
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(f"{number}{mathml}</div>\n")
    raise_skip()


def raise_skip():
    from docutils import nodes

    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
