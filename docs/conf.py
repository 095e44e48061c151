"""Configuration of Sphinx: ``make docs`` builds the site."""

from importlib.metadata import version as version_of

project = "Observation Execution Tool, as a Tango device"
author = "the authors of ska-oso-oet-tango"
copyright = "2026, the authors of ska-oso-oet-tango"  # noqa: A001
version = release = version_of("ska-oso-oet-tango")

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = project
