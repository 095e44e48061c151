"""The generated reference has all that the code offers, and the pages of the site use all of it."""

import json
import re

import pytest
from tests.support.site import PROJECT

from oet_devices.controller import OETController
from oet_devices.reasons import NOT_AVAILABLE, OTHER_REASONS, RAISED_BY, REASONS
from oet_devices.ska.device import SkaBaseDevice
from oet_devices.tools.reference import GENERATED, MARK, insert
from oet_devices.tools.reference.markdown import prose
from oet_devices.tools.reference.schemas import fields

PAGES = sorted((PROJECT / "docs").rglob("*.md"))


def headings(text: str) -> list[str]:
    return re.findall(r"^###? (.+)$", text, re.MULTILINE)


def first_cells(text: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def test_each_part_is_on_one_page() -> None:
    used = [name for page in PAGES for name in MARK.findall(page.read_text())]
    assert sorted(used) == sorted(GENERATED)


def test_a_part_that_is_not_known_is_an_error() -> None:
    with pytest.raises(KeyError, match="commandos"):
        insert("# Page\n\n<!-- generated: commandos -->\n")


def test_each_command_is_there_with_what_it_takes_and_answers() -> None:
    text = GENERATED["commands"]()
    assert set(OETController.TangoClassClass.cmd_list) <= set(headings(text))
    create = text.split("### Create\n")[1].split("\n### ")[0]
    assert "Argument\n: `DevString`. URI of a script" in create
    assert "Answer\n: `DevVarLongStringArray`." in create
    assert "`[[5], [reason]]`" in create
    assert "[OET_ScriptNotAllowed](commands.md#oet_scriptnotallowed)" in create


def test_a_query_is_for_those_who_may_only_read() -> None:
    text = GENERATED["commands"]()
    readers = [
        section.split("\n")[0] for section in text.split("\n### ")[1:] if "read access alone" in section
    ]
    allowed = OETController.TangoClassClass.class_property_list["AllowedAccessCmd"][2]
    assert sorted(readers) == sorted(allowed)


def test_each_attribute_is_there_with_its_type_and_its_events() -> None:
    text = GENERATED["attributes"]()
    assert set(OETController.TangoClassClass.attr_list) <= set(headings(text))
    sections = {section.split("\n")[0]: section for section in text.split("\n### ")[1:]}
    assert "Type\n: `DevDouble`" in sections["progress"]
    assert "Unit\n: %" in sections["progress"]
    assert "Values\n: from 0.0 to 100.0" in sections["progress"]
    assert "6 RUNNING" in sections["procedureState"]
    assert "a spectrum of at most 256" in sections["scriptOutput"]
    assert "restores it at start" in sections["scriptContext"]
    assert "Events\n: none" in sections["lrcProtocolVersions"]


def test_each_property_is_there_with_its_default() -> None:
    text = GENERATED["properties"]()
    model = OETController.TangoClassClass
    assert first_cells(text) == {*model.device_property_list, *model.class_property_list}
    assert "| `StopGracePeriod` | `DevDouble` | `5.0` |" in text


def test_the_overviews_in_the_repository_name_what_the_controller_has_beside_the_base_device() -> None:
    """Those who have not built the site find commands and attributes there, too."""
    page = (PROJECT / "docs" / "reference" / "tango.md").read_text()
    model, base = OETController.TangoClassClass, SkaBaseDevice.TangoClassClass
    named = set(re.findall(r"^\| \[`(\w+)`\]", page, re.MULTILINE))
    assert named == {*model.cmd_list, *model.attr_list} - {*base.cmd_list, *base.attr_list}


def test_each_reason_is_explained() -> None:
    explained = headings(GENERATED["reasons"]())
    others = {reason for reasons in OTHER_REASONS.values() for reason in reasons}
    assert {*REASONS.values(), *others, NOT_AVAILABLE} <= set(explained)


def test_what_is_known_of_errors_is_of_commands_and_attributes_that_exist() -> None:
    model, base = OETController.TangoClassClass, SkaBaseDevice.TangoClassClass
    assert set(RAISED_BY) == set(model.cmd_list) - set(base.cmd_list) - {"GetFigures"}
    assert set(OTHER_REASONS) <= {*model.cmd_list, *model.attr_list}


def test_each_state_has_a_meaning() -> None:
    rows = [
        line for line in GENERATED["states"]().splitlines() if line.startswith("| ") and "---" not in line
    ]
    assert len(rows) > 50
    assert [row for row in rows if row.strip("| ").endswith("`")] == []


def test_each_operation_of_the_rest_interface_is_there() -> None:
    description = json.loads((PROJECT / "openapi.json").read_text())
    text = GENERATED["rest"]()
    for path, methods in description["paths"].items():
        for method in methods:
            assert f"```text\n{method.upper()} {path}\n```" in text
    assert set(headings(GENERATED["rest-objects"]())) == set(description["components"]["schemas"])


def test_what_an_operation_needs_is_what_the_service_demands() -> None:
    sections = {
        match[1]: match[2]
        for match in re.finditer(r"```text\n(.+?)\n```(.*?)(?=\n### |\Z)", GENERATED["rest"](), re.S)
    }
    assert "For operators." in sections["POST /api/v1.0/procedures"]
    assert "For viewers and operators." in sections["GET /api/v1.0/procedures"]
    assert "For everybody." in sections["GET /healthz"]


def test_each_topic_is_there_with_its_fields() -> None:
    description = json.loads((PROJECT / "asyncapi.json").read_text())
    text = GENERATED["topics"]()
    assert set(description["channels"]) <= set(headings(text))
    progress = text.split("### user.script.progress\n")[1].split("\n### ")[0]
    assert "Published by scripts." in progress
    assert "| `progress` | number | always there | percentage done, 0 to 100 |" in progress
    assert set(headings(GENERATED["topic-objects"]())) == set(description["components"]["schemas"])


def test_the_metrics_that_rules_and_dashboards_use_are_there() -> None:
    folder = PROJECT / "charts" / "ska-oso-oet-tango" / "monitoring"
    used = set(re.findall(r"\boet_\w+", "".join(file.read_text() for file in folder.iterdir())))
    known = first_cells(GENERATED["metrics"]())
    series = known | {f"{name}{end}" for name in known for end in ("_bucket", "_sum", "_count")}
    assert len(used) > 5
    assert used <= series
    assert (
        "| `oet_procedures_ended_total` | counter | `subarray`, `device`, `state` |" in GENERATED["metrics"]()
    )


def test_the_limits_are_those_of_the_code() -> None:
    text = GENERATED["limits"]()
    assert "| [`ReadyLimit`](properties.md) | 20 |" in text
    assert "| line of output; a longer one is broken | 16 KiB |" in text


def test_json_in_a_sentence_is_code() -> None:
    assert (
        prose('JSON: {"a": {"b": {"c": {}}}}, or <nothing>')
        == 'JSON: `{"a": {"b": {"c": {}}}}`, or &lt;nothing>'
    )


def test_the_fields_of_an_object_are_a_table() -> None:
    schema = {
        "properties": {
            "id": {"type": "integer", "minimum": 1, "description": "its ID"},
            "by": {"anyOf": [{"$ref": "#/components/schemas/Requester"}, {"type": "null"}], "default": None},
        },
        "required": ["id"],
    }
    assert fields(schema, "rest").splitlines()[2:] == [
        "| `id` | integer | always there | its ID; at least 1 |",
        "| `by` | [Requester](#rest-requester) or null | `null` |  |",
    ]
