"""The parts of the documentation that are generated from the code, as an extension of Sphinx.

A page in Markdown has a comment ``<!-- generated: NAME -->`` where the text of that name is to be. The text
is made when the site is built, so that it is not out of date.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from . import device, http, limits, metrics, programs, states, topics

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

GENERATED: Mapping[str, Callable[[], str]] = {
    "commands": device.commands,
    "attributes": device.attributes,
    "properties": device.properties,
    "reasons": device.reasons,
    "states": states.states,
    "transitions": states.transitions,
    "rest": http.operations,
    "rest-objects": http.objects,
    "topics": topics.topics,
    "topic-objects": topics.objects,
    "metrics": metrics.metrics,
    "limits": limits.limits,
    "oet-sidecar": programs.sidecar,
    "run": programs.run,
}
"""Texts in Markdown, by their names."""

MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)


def insert(text: str) -> str:
    """Return a page with its generated parts.

    :param text: the page, in Markdown
    :raises KeyError: if it names a part that does not exist
    """
    return MARK.sub(lambda mark: GENERATED[mark[1]](), text)


def setup(app: "Sphinx") -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", _on_source)
    app.connect("env-get-outdated", _outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _on_source(_app: "Sphinx", _page: str, source: list[str]) -> None:
    source[0] = insert(source[0])


def _outdated(
    _app: "Sphinx", env: "BuildEnvironment", _added: set[str], _changed: set[str], _removed: set[str]
) -> list[str]:
    """Return the pages with generated parts: the code may have changed since they were read."""
    pages = {name: env.doc2path(name) for name in env.found_docs}
    return [name for name, path in pages.items() if path.suffix == ".md" and MARK.search(path.read_text())]
