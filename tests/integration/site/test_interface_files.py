"""The Pogo model and the table of properties against the device as clients see it."""

from xml.etree import ElementTree as ET

import pytest
import tango
from tests.support.site import CONTROLLER_CLASS, PROJECT

from oet_devices.tools.interface_files import interface_files

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

TANGO_TYPES = {
    "VoidType": "DevVoid",
    "ShortType": "DevShort",
    "UShortType": "DevUShort",
    "IntType": "DevLong",
    "LongType": "DevLong64",
    "DoubleType": "DevDouble",
    "StringType": "DevString",
    "EncodedType": "DevEncoded",
    "ConstStringType": "DevString",
    "EnumType": "DevEnum",
    "StateType": "DevState",
    "StringArrayType": "DevVarStringArray",
    "LongStringArrayType": "DevVarLongStringArray",
}
IN_POGO = {
    "classes": "name pogoRevision",
    "description": (
        "description title sourcePath language filestogenerate license copyright "
        "hasMandatoryProperty hasConcreteProperty hasAbstractCommand hasAbstractAttribute"
    ),
    "inheritances": "classname sourcePath",
    "identification": (
        "contact author emailDomain classFamily siteSpecific platform bus manufacturer reference"
    ),
    "classProperties": "name description",
    "deviceProperties": "name description",
    "type": XSI_TYPE,
    "dataType": XSI_TYPE,
    "status": "abstract inherited concrete concreteHere",
    "DefaultPropValue": "",
    "commands": "name description execMethod displayLevel polledPeriod isDynamic",
    "argin": "description",
    "argout": "description",
    "attributes": (
        "name attType rwType displayLevel polledPeriod maxX maxY memorized memorizedAtInit "
        "allocReadMember isDynamic"
    ),
    "changeEvent": "fire libCheckCriteria",
    "archiveEvent": "fire libCheckCriteria",
    "dataReadyEvent": "fire libCheckCriteria",
    "properties": (
        "description label unit standardUnit displayUnit format maxValue minValue maxAlarm minAlarm "
        "maxWarning minWarning deltaTime deltaValue"
    ),
    "enumLabels": "",
    "states": "name description",
    "preferences": "docHome makefileHome",
}
"""Elements of a model, with their attributes, as Pogo 9.6 writes them."""
IN_ELEMENTS = {
    "classes": "description classProperties deviceProperties commands attributes states preferences",
    "description": "inheritances identification",
    "classProperties": "type status DefaultPropValue",
    "deviceProperties": "type status DefaultPropValue",
    "commands": "argin argout status",
    "argin": "type",
    "argout": "type",
    "attributes": "dataType changeEvent archiveEvent dataReadyEvent status properties enumLabels",
    "states": "status",
}
"""Contents of elements, of those that have any."""
EVERY_DEVICE_HAS = {"Init"}
"""Commands of each Tango device that Pogo does not list."""


@pytest.fixture(scope="module")
def model() -> ET.Element:
    """The class in the Pogo model."""
    found = ET.parse(PROJECT / "pogo" / "OETController.xmi").getroot().find("classes")
    assert found is not None
    return found


def tango_type(element: ET.Element | None) -> str:
    """Return the name that Tango has for a type of Pogo."""
    assert element is not None
    return TANGO_TYPES[element.attrib[XSI_TYPE].removeprefix("pogoDsl:")]


def wizard(admin: tango.DeviceProxy, kind: str) -> dict[str, tuple[str, str]]:
    """Return what jive shows of properties: name to description and default value."""
    flat = list(admin.command_inout(f"QueryWizard{kind}Property", CONTROLLER_CLASS))
    return {flat[i]: (flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)}


def test_the_files_are_up_to_date() -> None:
    for path, text in interface_files(PROJECT).items():
        assert path.read_text() == text, f"{path.name} is out of date: run make interface"


def test_the_model_is_one_that_pogo_can_open(model: ET.Element) -> None:
    assert model.attrib["name"] == CONTROLLER_CLASS
    described = model.find("description")
    assert described is not None
    assert described.attrib["language"] == "PythonHL"
    assert described.find("inheritances") is not None
    assert described.find("identification") is not None
    for kind in ("commands", "attributes", "deviceProperties", "states"):
        for element in model.findall(kind):
            assert element.find("status") is not None, element.attrib


def test_pogo_knows_every_element_and_attribute_of_the_model(model: ET.Element) -> None:
    """Its reader gives up at one that it does not know."""
    for element in model.iter():
        assert set(element.attrib) == set(IN_POGO[element.tag].split()), element.tag
        assert {child.tag for child in element} <= set(IN_ELEMENTS.get(element.tag, "").split()), element.tag


def test_commands_of_the_model_are_those_of_the_device(
    model: ET.Element, controller: tango.DeviceProxy
) -> None:
    live = {command.cmd_name: command for command in controller.command_list_query()}
    modelled = {command.attrib["name"]: command for command in model.findall("commands")}
    assert set(modelled) == set(live) - EVERY_DEVICE_HAS
    for name, command in modelled.items():
        argin, argout = command.find("argin"), command.find("argout")
        assert argin is not None
        assert argout is not None
        assert tango_type(argin.find("type")) == str(live[name].in_type), name
        assert tango_type(argout.find("type")) == str(live[name].out_type), name
        assert command.attrib["displayLevel"] == str(live[name].disp_level), name
        assert command.attrib["description"], name
        if command.attrib["execMethod"] == name:
            assert argin.attrib["description"] == live[name].in_type_desc, name
            assert argout.attrib["description"] == live[name].out_type_desc, name


def test_attributes_of_the_model_are_those_of_the_device(
    model: ET.Element, controller: tango.DeviceProxy
) -> None:
    live = {config.name: config for config in controller.attribute_list_query_ex()}
    modelled = {attribute.attrib["name"]: attribute for attribute in model.findall("attributes")}
    assert set(modelled) == set(live) - {"State", "Status"}
    for name, attribute in modelled.items():
        config = live[name]
        shown = attribute.find("properties")
        assert shown is not None
        reported = attribute.attrib
        assert tango_type(attribute.find("dataType")) == str(tango.CmdArgType.values[config.data_type]), name
        assert reported["attType"].upper() == str(config.data_format), name
        assert (reported["maxX"] or "1") == str(config.max_dim_x), name
        assert reported["rwType"] == str(config.writable), name
        assert reported["displayLevel"] == str(config.disp_level), name
        assert (reported["memorizedAtInit"] == "true") == (
            config.memorized == tango.AttrMemorizedType.MEMORIZED_WRITE_INIT
        ), name
        assert shown.attrib["description"] == config.description, name
        assert shown.attrib["label"] == config.label, name
        assert shown.attrib["unit"] == config.unit, name
        assert [label.text for label in attribute.findall("enumLabels")] == list(config.enum_labels), name


def test_events_of_the_model_are_those_of_the_device(
    model: ET.Element, controller: tango.DeviceProxy
) -> None:
    kinds = {"changeEvent": tango.EventType.CHANGE_EVENT, "archiveEvent": tango.EventType.ARCHIVE_EVENT}
    for attribute in model.findall("attributes"):
        for tag, kind in kinds.items():
            element = attribute.find(tag)
            assert element is not None
            name = attribute.attrib["name"]
            if element.attrib["fire"] == "true":
                controller.unsubscribe_event(controller.subscribe_event(name, kind, lambda _event: None))
            else:
                with pytest.raises(tango.DevFailed):
                    controller.subscribe_event(name, kind, lambda _event: None)


@pytest.mark.parametrize(("kind", "tag"), [("Dev", "deviceProperties"), ("Class", "classProperties")])
def test_properties_of_the_model_are_those_that_jive_shows(
    kind: str, tag: str, model: ET.Element, admin: tango.DeviceProxy
) -> None:
    modelled = {
        prop.attrib["name"]: (
            prop.attrib["description"],
            "\n".join(value.text or "" for value in prop.findall("DefaultPropValue")),
        )
        for prop in model.findall(tag)
    }
    assert modelled == wizard(admin, kind)


def test_every_property_is_documented_for_sites_as_jive_shows_it(admin: tango.DeviceProxy) -> None:
    text = (PROJECT / "tango_db" / "README.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    properties = wizard(admin, "Dev") | wizard(admin, "Class")
    documented = {
        name.strip("`"): (meaning, "" if default == "none" else default.replace("`", "").replace(", ", "\n"))
        for name, _of, _type, default, meaning in (row for row in rows if len(row) == 5)
    }
    assert documented == properties


def test_what_only_experts_need_is_hidden_from_operators(controller: tango.DeviceProxy) -> None:
    levels = {config.name: config.disp_level for config in controller.attribute_list_query_ex()}
    levels |= {command.cmd_name: command.disp_level for command in controller.command_list_query()}
    for name in ("procedures", "events", "scriptOutput", "lrcExecuting", "Create", "Start", "Stop"):
        assert levels[name] == tango.DispLevel.OPERATOR, name
    for name in ("_lrcEvent", "longRunningCommandStatus", "loggingTargets", "DebugDevice"):
        assert levels[name] == tango.DispLevel.EXPERT, name


def test_every_attribute_has_a_label_and_a_description(controller: tango.DeviceProxy) -> None:
    for config in controller.attribute_list_query_ex():
        if config.name not in ("State", "Status"):
            assert config.label != config.name, config.name
            assert config.description not in ("", "No description"), config.name
