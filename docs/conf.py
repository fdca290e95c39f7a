"""Sphinx's settings for the site of `make docs`. tools/stage_site.py lays out what is read."""

import sys
from pathlib import Path

import trimatte

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

project = "trimatte"
author = "The trimatte developers"
copyright = "The trimatte developers, MIT licence"
version = release = trimatte.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "commands",
    "mathml",
    "reference",
    "wrapping",
]
exclude_patterns = ["_ext", "_static", "README.md", "project/files"]
nitpicky = True
highlight_language = "none"  # blocks without a name are commands of the shell
html_math_renderer = "mathml"

# Pages are Markdown as GitHub reads it: headings have anchors, $...$ and ```math are formulas.
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 6
myst_fence_as_directive = ["math"]
suppress_warnings = ["config.cache"]  # sphinx-gallery's settings hold a function

autodoc_typehints = "none"  # the docstrings say more: shapes, units, ranges
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": "plot_",
    "ignore_pattern": "side_by_side",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "backreferences_dir": "gallery/used",
    "doc_module": ("trimatte",),
    "download_all_examples": False,
    "thumbnail_size": (360, 270),
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1000,
    "capture_repr": (),  # what an example prints, and its figures, say enough
}

html_theme = "furo"
html_title = "trimatte"
html_static_path = ["_static", "photograph.jpg", "photograph_over.jpg"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = str(ROOT / "python" / "trimatte" / "web" / "paint" / "static" / "icon.svg")
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e4f", "color-brand-content": "#0b6e4f"},
    "dark_css_variables": {"color-brand-primary": "#62d2a2", "color-brand-content": "#62d2a2"},
}
html_show_sphinx = False
html_copy_source = False
pygments_style = "a11y-light"
pygments_dark_style = "github-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
linkcheck_timeout = 20
linkcheck_ignore = [r"https?://[\w.-]*\.example\b"]  # addresses that stand for the reader's own
