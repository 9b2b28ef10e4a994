"""How Sphinx makes these pages: `tox -e docs`."""

import sys
from pathlib import Path

from xadbench import __version__

sys.path.insert(0, str(Path(__file__).parent))
from declarations import TABLES, write_commands

project = "XADBench"
author = "The XADBench developers"
copyright = author  # noqa: A001  # Sphinx's name
release = version = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
]
# Included in other pages, made by the build, or what the tutorials left behind.
exclude_patterns = ["_build", "notebooks", "*/README.md", "tutorials/*/**"]
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath", "substitution"]
myst_heading_anchors = 3
myst_substitutions = {name: table() for name, table in TABLES.items()}
nb_custom_formats = {".ipynb": "printed.read"}
nb_execution_mode = "off"  # nbmake ran the tutorials; see decisions/0010

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say what goes in and out
numpydoc_show_class_members = False  # autodoc lists them
doctest_test_doctest_blocks = ""  # those of docstrings run with the other tests

nitpicky = True
default_role = "code"  # `like this`

HERE = Path(__file__).parent
WIDE = [  # pages of tables alone: without a table of contents beside
    *(f"reference/{name}" for name in ("metrics", "explainers", "detectors", "data", "suites")),
    *(f"results/{page.stem}" for page in HERE.glob("results/[!R]*.md")),
]
html_theme = "pydata_sphinx_theme"
html_title = "XADBench"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        **{page: [] for page in WIDE},
    },
    "show_prev_next": False,
}
html_sidebars = {
    page: []
    for page in (
        "index",
        "concepts",
        "changelog",
        "contributing",
        "security",
        "tutorials/start",
        "tutorials/extend",
    )
}
html_show_copyright = False
html_show_sourcelink = False


write_commands(HERE / "reference" / "commands.md")
