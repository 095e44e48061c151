"""Model of a device class for Pogo: its interface in Pogo's XMI format.

Source: the PogoDsl grammar of Pogo 9.
"""

from typing import Any
from xml.etree import ElementTree as ET

from tango import AttrDataFormat, CmdArgType

from ..ska.event_device import EventDevice

_NAMESPACES = {
    "xmlns:xmi": "http://www.omg.org/XMI",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xmlns:pogoDsl": "http://www.esrf.fr/tango/pogo/PogoDsl",
}

# Pogo's names follow Java's, where int has 32 bits and long 64.
_TYPES = {
    CmdArgType.DevVoid: "VoidType",
    CmdArgType.DevBoolean: "BooleanType",
    CmdArgType.DevShort: "ShortType",
    CmdArgType.DevUShort: "UShortType",
    CmdArgType.DevLong: "IntType",
    CmdArgType.DevLong64: "LongType",
    CmdArgType.DevDouble: "DoubleType",
    CmdArgType.DevString: "StringType",
    CmdArgType.DevEncoded: "EncodedType",
    CmdArgType.ConstDevString: "ConstStringType",
    CmdArgType.DevEnum: "EnumType",
    CmdArgType.DevState: "StateType",
    CmdArgType.DevVarStringArray: "StringArrayType",
    CmdArgType.DevVarLongStringArray: "LongStringArrayType",
}
_PROPERTY_TYPES = _TYPES | {CmdArgType.DevVarStringArray: "StringVectorType"}

_ATTRIBUTE_FORMATS = {AttrDataFormat.SCALAR: "Scalar", AttrDataFormat.SPECTRUM: "Spectrum"}

STATES = {
    "INIT": "The device is being initialised.",
    "DISABLE": "adminMode says that the device is not in use.",
    "UNKNOWN": "The device finds out whether it can work.",
    "ON": "The device is ready.",
    "STANDBY": "The device was sent to stand-by.",
    "OFF": "The device was switched off.",
    "FAULT": "The device cannot work; Status says why.",
    "ALARM": "The device is ready, and an attribute is beyond its alarm levels; Status says which.",
}
"""States of the device, and what they mean."""


def pogo_model(device_class: type[EventDevice]) -> str:
    """Return the interface of a device class as the text of an .xmi file.

    :param device_class: a class whose attributes and commands are all declared in code
    """
    model = device_class.TangoClassClass
    root = ET.Element("pogoDsl:PogoSystem", {"xmi:version": "2.0", **_NAMESPACES})
    classes = ET.SubElement(root, "classes", name=device_class.__name__, pogoRevision="9.6")
    _add_description(classes, device_class)
    for name, definition in model.class_property_list.items():
        _add_property(classes, "classProperties", name, definition)
    for name, definition in model.device_property_list.items():
        _add_property(classes, "deviceProperties", name, definition)
    for name, returned in (("State", CmdArgType.DevState), ("Status", CmdArgType.ConstDevString)):
        argin, argout = (CmdArgType.DevVoid, ""), (returned, f"The device's {name.lower()}")
        _add_command(classes, name, [argin, argout, {}], f"Return the device's {name.lower()}.", own=False)
    for name, definition in model.cmd_list.items():
        _add_command(classes, name, definition, _first_line(getattr(device_class, name)))
    for name, definition in model.attr_list.items():
        _add_attribute(classes, name, definition, device_class)
    for name, meaning in STATES.items():
        _add_status(ET.SubElement(classes, "states", name=name, description=meaning))
    ET.SubElement(classes, "preferences", docHome="./doc_html", makefileHome="")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _first_line(documented: object) -> str:
    return (documented.__doc__ or "").strip().split("\n\n")[0]


def _add_description(classes: ET.Element, device_class: type[EventDevice]) -> None:
    description = ET.SubElement(
        classes,
        "description",
        description=_first_line(device_class),
        title=device_class.__name__,
        sourcePath=".",
        language="PythonHL",
        # Pogo must not generate the code.
        filestogenerate="XMI   file",
        license="none",
        copyright="",
        hasMandatoryProperty="false",
        hasConcreteProperty="true",
        hasAbstractCommand="false",
        hasAbstractAttribute="false",
    )
    ET.SubElement(description, "inheritances", classname="Device_Impl", sourcePath="")
    ET.SubElement(
        description,
        "identification",
        contact="",
        author="",
        emailDomain="",
        classFamily="SoftwareSystem",
        siteSpecific="SKA",
        platform="Unix Like",
        bus="Not Applicable",
        manufacturer="none",
        reference="",
    )


def _add_property(classes: ET.Element, kind: str, name: str, definition: list[Any]) -> None:
    data_type, doc, default = definition[:3]
    prop = ET.SubElement(classes, kind, name=name, description=doc)
    _add_type(prop, "type", _PROPERTY_TYPES[data_type])
    _add_status(prop)
    for line in default if isinstance(default, list) else [default]:
        if line != "":
            ET.SubElement(prop, "DefaultPropValue").text = str(line)


def _add_command(
    classes: ET.Element, name: str, definition: list[Any], doc: str, *, own: bool = True
) -> None:
    argin, argout, options = definition
    command = ET.SubElement(
        classes,
        "commands",
        name=name,
        description=doc,
        execMethod=name if own else f"dev_{name.lower()}",
        displayLevel=str(options.get("Display level", "OPERATOR")),
        polledPeriod="0",
        isDynamic="false",
    )
    for tag, (data_type, meaning) in (("argin", argin), ("argout", argout)):
        argument = ET.SubElement(command, tag, description=meaning)
        _add_type(argument, "type", _TYPES[data_type])
    _add_status(command, own=own)


def _add_attribute(classes: ET.Element, name: str, definition: Any, device_class: type[EventDevice]) -> None:
    scalar = definition.attr_format == AttrDataFormat.SCALAR
    attribute = ET.SubElement(
        classes,
        "attributes",
        name=name,
        attType=_ATTRIBUTE_FORMATS[definition.attr_format],
        rwType=str(definition.attr_write),
        displayLevel=str(definition.display_level),
        polledPeriod="0",
        maxX="" if scalar else str(definition.dim_x),
        maxY="",
        memorized=str(bool(definition.memorized)).lower(),
        memorizedAtInit=str(bool(definition.hw_memorized)).lower(),
        allocReadMember="true",
        isDynamic="false",
    )
    _add_type(attribute, "dataType", _TYPES[definition.attr_type])
    events = name not in device_class.WITHOUT_EVENTS
    archived = events and name not in device_class.CHANGE_EVENTS_ONLY
    # Events that code pushes are sent unchanged: with libCheckCriteria, Tango would compare values.
    for tag, fired in (("changeEvent", events), ("archiveEvent", archived), ("dataReadyEvent", False)):
        ET.SubElement(attribute, tag, fire=str(fired).lower(), libCheckCriteria="false")
    _add_status(attribute)
    _add_properties(attribute, definition.att_prop)
    for label in filter(None, definition.att_prop.enum_labels.split(",")):
        ET.SubElement(attribute, "enumLabels").text = label


def _add_properties(attribute: ET.Element, shown: Any) -> None:
    limits = ("maxValue", "minValue", "maxAlarm", "minAlarm", "maxWarning", "minWarning")
    properties = {
        "description": shown.description,
        "label": shown.label,
        "unit": shown.unit,
        "standardUnit": shown.standard_unit,
        "displayUnit": shown.display_unit,
        "format": shown.format,
        **dict.fromkeys((*limits, "deltaTime", "deltaValue"), ""),
    }
    ET.SubElement(attribute, "properties", properties)


def _add_type(parent: ET.Element, tag: str, name: str) -> None:
    ET.SubElement(parent, tag, {"xsi:type": f"pogoDsl:{name}"})


def _add_status(parent: ET.Element, *, own: bool = True) -> None:
    """Return whether the class declares an item, or every device has it."""
    inherited = str(not own).lower()
    ET.SubElement(
        parent,
        "status",
        abstract=inherited,
        inherited=inherited,
        concrete="true",
        concreteHere=str(own).lower(),
    )
