"""Descriptions of all commands, attributes and properties in jive, Taranta and itango."""

import re

import pytest
import tango

_OF_TANGO = {"State", "Status", "Init"}
_OWN_COMMANDS = {
    "Create": "file:///scripts/observe.py",
    "Start": '{"pid": 2, "script_args"',
    "Stop": '{"pid": 2, "abort": true}',
    "RunActivity": '{"activity_name": "observe", "sbd_id": "sbd-123"}',
    "DescribeActivity": "0 for the last one",
    "DescribeProcedure": "0 for the last one",
    "GetEvents": '{"after": seq',
    "QueueAdd": '"not_before": "2026-11-26T21:00:00Z"',
    "QueueMove": '{"after": ID}',
    "GetOutput": '{"pid": 2, "after": line',
}
_OWN_ATTRIBUTES = {
    "procedures",
    "activities",
    "events",
    "lastEventId",
    "runningProcedure",
    "lastProcedure",
    "procedureState",
    "scriptOutput",
    "scripts",
    "queue",
    "queueState",
    "queueLength",
}
_OWN_PROPERTIES = {
    "ScriptRoots",
    "GitRepositories",
    "EnvironmentLimit",
    "StateDirectory",
    "HistoryLength",
    "StandbyWorkers",
    "StopGracePeriod",
    "InitTimeout",
    "ScriptSizeLimit",
    "AllowEmbeddedScripts",
    "ReadyLimit",
    "ReadyTimeout",
    "QueueAutostart",
    "QueueStopOnFailure",
    "SecretVariables",
    "FilesLimit",
    "AbortScript",
    "EventRetention",
}


def test_every_command_says_what_it_takes_and_gives(controller: tango.DeviceProxy) -> None:
    commands = [info for info in controller.command_list_query() if info.cmd_name not in _OF_TANGO]
    assert _OWN_COMMANDS.keys() <= {info.cmd_name for info in commands}
    for info in commands:
        for kind, reported in ((info.in_type, info.in_type_desc), (info.out_type, info.out_type_desc)):
            if kind != tango.CmdArgType.DevVoid:
                assert re.search(r"\w{4}", reported), info.cmd_name
                assert reported != "Uninitialised", info.cmd_name


@pytest.mark.parametrize("command", _OWN_COMMANDS)
def test_a_command_shows_an_example_of_its_argument(controller: tango.DeviceProxy, command: str) -> None:
    assert _OWN_COMMANDS[command] in controller.command_query(command).in_type_desc


def test_every_attribute_says_what_it_shows(controller: tango.DeviceProxy) -> None:
    configs = {config.name: config for config in controller.attribute_list_query_ex()}
    assert configs.keys() >= _OWN_ATTRIBUTES
    for name in configs.keys() - _OF_TANGO:
        assert configs[name].description not in ("", "No description"), name
        assert configs[name].label, name


def test_descriptions_of_attributes_have_no_indentation(controller: tango.DeviceProxy) -> None:
    """Before Python 3.13, docstrings have that of the code."""
    for config in controller.attribute_list_query_ex():
        assert re.search(r"^[ \t]|\s\Z", config.description, re.MULTILINE) is None, config.name


@pytest.mark.parametrize("kind", [tango.EventType.CHANGE_EVENT, tango.EventType.ARCHIVE_EVENT])
def test_attributes_have_events(controller: tango.DeviceProxy, kind: tango.EventType) -> None:
    for attribute in sorted({*_OWN_ATTRIBUTES, "State", "Status", "healthState", "adminMode"}):
        subscription = controller.subscribe_event(attribute, kind, lambda event: None)
        controller.unsubscribe_event(subscription)


def test_every_property_says_what_it_is_for(controller: tango.DeviceProxy) -> None:
    server = tango.DeviceProxy(controller.adm_name())
    flat = server.QueryWizardDevProperty("OETController")
    reported = dict(zip(flat[::3], flat[1::3], strict=True))
    assert reported.keys() >= _OWN_PROPERTIES
    for name, description in reported.items():
        assert re.search(r"\w{4}", description), name


def test_a_type_error_of_a_client_is_told_by_tango(controller: tango.DeviceProxy) -> None:
    for command, argument in (("Create", 7), ("DescribeProcedure", "one"), ("DescribeProcedure", 2**40)):
        with pytest.raises((tango.DevFailed, TypeError, OverflowError)):
            controller.command_inout(command, argument)
    assert controller.State() == tango.DevState.ON
