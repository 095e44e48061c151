"""``make interface``: writes the files that describe the interfaces to people and tools.

They are ``pogo/OETController.xmi``, the table of properties in ``tango_db/README.md``, those of commands and
attributes in ``docs/reference/tango.md``, ``openapi.json`` for REST, ``asyncapi.json`` for events, the
dashboards for Taranta, and the version in the chart.
"""

import re
import sys
from pathlib import Path

from ska_oso_oet import __version__
from ska_oso_oet.event.asyncapi import asyncapi_text
from ska_oso_oet.sidecar import openapi_text

from ..controller import OETController
from .dashboards import dashboards
from .pogo import pogo_model
from .reference.device import attribute_overview, command_overview

_PROJECT = Path(__file__).parents[3]
_CHART_VERSIONS = re.compile(r"(?<=^version: ).*|(?<=^appVersion: ).*", re.MULTILINE)


def _filled(page: str, name: str, table: str) -> str:
    """Return a page with a new table between the comments that enclose it.

    :param page: its text
    :param name: what the first of the comments says
    :param table: the table
    """
    enclosed = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    return enclosed.sub(lambda _: table, page, count=1)


def property_table() -> str:
    """Return the class and device properties of OETController as a Markdown table."""
    model = OETController.TangoClassClass
    rows = [
        f"| `{name}` | {kind} | {data_type} | {_shown(default)} | {doc} |"
        for kind, properties in (("device", model.device_property_list), ("class", model.class_property_list))
        for name, (data_type, doc, default, *_) in sorted(properties.items())
    ]
    return "\n".join(["| property | of | type | default | meaning |", "|---|---|---|---|---|", *rows, ""])


def _shown(default: object) -> str:
    """Return a default value the way the Tango database would hold it."""
    lines = default if isinstance(default, list) else [default]
    return ", ".join(f"`{line}`" for line in lines if line != "") or "none"


def interface_files(project: Path) -> dict[Path, str]:
    """Return the contents of the files.

    :param project: folder of the project
    """
    readme = project / "tango_db" / "README.md"
    tango = project / "docs" / "reference" / "tango.md"
    chart = project / "charts" / "ska-oso-oet-tango"
    return {
        project / "pogo" / "OETController.xmi": pogo_model(OETController),
        project / "openapi.json": openapi_text(),
        project / "asyncapi.json": asyncapi_text(),
        **{chart / "dashboards" / name: text for name, text in dashboards().items()},
        chart / "Chart.yaml": _CHART_VERSIONS.sub(__version__, (chart / "Chart.yaml").read_text()),
        readme: _filled(readme.read_text(), "properties", property_table()),
        tango: _filled(
            _filled(tango.read_text(), "commands", command_overview()), "attributes", attribute_overview()
        ),
    }


def main() -> None:
    """Write the files."""
    for path, text in interface_files(_PROJECT).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
