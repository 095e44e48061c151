"""Configuration of Sphinx: ``make docs`` builds the site."""

from importlib.metadata import version as version_of

project = "Observation Execution Tool, as a Tango device"
author = "the authors of ska-oso-oet-tango"
copyright = "2026, the authors of ska-oso-oet-tango"  # noqa: A001
version = release = version_of("ska-oso-oet-tango")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click", "oet_devices.tools.reference"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# What is between quotation marks is often JSON, to be copied.
smartquotes = False
html_theme = "furo"
html_title = project

# Docstrings name what they refer to between single backticks.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
