"""The documentation site: Sphinx over docs/*.md, which read the same on the repository's pages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "counterfeit"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "pages"]
root_doc = "index"
exclude_patterns = ["sphinx"]
html_title = "counterfeit"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "static/icon.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# The two themes of code meet WCAG's contrast on furo's backgrounds.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "attrs_inline"]
smartquotes = False  # --resume is no dash

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
default_role = "name-or-code"  # docstrings quote code as Markdown does; see pages.py
maximum_signature_line_length = 72
highlight_language = "text"
nitpicky = True
# Types in signatures and names in docstrings that are another's, or not public, stay unlinked.
nitpick_ignore_regex = [("py:(class|obj)", ".*")]
