"""The chart and the image against the code: what they set and start exists, and means the same."""

import importlib.util
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import tango
from dsconfig.json2tango import prepare_config
from tests.support.chart import (
    CHART,
    FOUR_SUBARRAYS,
    VALUE_SETS,
    Resource,
    containers,
    of_kind,
    render,
)
from tests.support.site import PROJECT, REGISTRATIONS, console_scripts

from oet_devices.controller import OETController
from oet_devices.declared_properties import QUERY_COMMANDS
from ska_oso_oet import features
from ska_oso_oet.journal import retention
from ska_oso_oet.procedure.domain import ExecutorSettings
from ska_oso_oet.procedure.execution.output import OutputLog
from ska_oso_oet.sidecar import command as sidecar_command

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
PROPERTIES = OETController.TangoClassClass.device_property_list

OF_TANGO = {"TANGO_HOST", "TANGO_ZMQ_EVENT_PORT", "TANGO_ZMQ_HEARTBEAT_PORT", "PYTANGO_DATABASE_NAME"}
OF_KUBERNETES = {"POD_NAME", "POD_NAMESPACE", "HOME"}

JSON_TYPES = {
    "DevBoolean": "boolean",
    "DevShort": "integer",
    "DevUShort": "integer",
    "DevLong": "integer",
    "DevDouble": "number",
    "DevString": "string",
    "DevVarStringArray": "array",
}


@pytest.fixture(params=VALUE_SETS.values(), ids=list(VALUE_SETS))
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What one of the value sets renders to."""
    return render(request.param)


def registration(resources: list[Resource]) -> dict[str, Any]:
    """Return what is registered."""
    [text] = [
        config_map["data"]["registration.json"]
        for config_map in of_kind(resources, "ConfigMap")
        if "registration.json" in config_map["data"]
    ]
    registered: dict[str, Any] = json.loads(text)
    return registered


def devices(registered: dict[str, Any]) -> dict[str, Any]:
    """Return the devices of a registration."""
    servers = registered["servers"]["OETController"].values()
    return {name: device for server in servers for name, device in server["OETController"].items()}


@pytest.mark.parametrize(
    ("values", "file"), [({}, "oet-mid.json"), (FOUR_SUBARRAYS, "oet-four-subarrays.json")]
)
def test_it_registers_what_the_files_register(values: dict[str, Any], file: str) -> None:
    registered = registration(render(values))
    for device in devices(registered).values():
        if device["properties"] == {}:
            del device["properties"]
    assert registered == json.loads((REGISTRATIONS / file).read_text())


def test_the_operator_is_given_the_registration_of_each_server() -> None:
    servers = of_kind(render({"global": {"operator": True}, **FOUR_SUBARRAYS}), "DeviceServer")
    registered = [json.loads(server["spec"]["config"]) for server in servers]
    assert [len(devices(each)) for each in registered] == [2, 2]
    for server, each in zip(servers, registered, strict=True):
        [instance] = each["servers"]["OETController"]
        assert server["spec"]["args"] == instance


def test_properties_are_registered_as_the_database_holds_them() -> None:
    common = {"HistoryLength": 20, "StopGracePeriod": 2.5, "EventRetention": 1000000, "ScriptRoots": ["/a"]}
    one = {"name": "mid-oet/controller/01", "properties": {"HistoryLength": 3, "GitRepositories": ["*"]}}
    values = {
        "properties": common,
        "controllers": [{"instance": "01", "devices": [one, {"name": "mid-oet/controller/02"}]}],
    }
    registered = registration(render(values))
    prepare_config(registered, validate=True)
    found = devices(registered)
    assert found["mid-oet/controller/01"]["properties"] == {
        "HistoryLength": ["3"],
        "GitRepositories": ["*"],
        "StopGracePeriod": ["2.5"],
        "EventRetention": ["1000000"],
        "ScriptRoots": ["/a"],
        "LoggingTargetsDefault": ["tango::logger", "console::cout"],
    }
    assert found["mid-oet/controller/02"]["properties"]["HistoryLength"] == ["20"]


def test_the_volume_holds_what_a_device_may_come_to_keep() -> None:
    events = int(PROPERTIES["EventRetention"][2]) * retention._BYTES_FOR_AN_EVENT
    output = ExecutorSettings.output_logs * inspect.signature(OutputLog).parameters["max_bytes"].default
    [server] = of_kind(render({}), "StatefulSet")
    [claim] = server["spec"]["volumeClaimTemplates"]
    size = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) * 2**30
    assert size >= 1.25 * (events + output + ExecutorSettings.packages_limit)


def test_scripts_of_the_release_can_be_run() -> None:
    scripts = {"observe.py": "def main():\n    print('observed')\n"}
    resources = render({"scripts": scripts})
    [controller] = [c for c in containers(resources) if c["name"] == "controller"]
    assert "/scripts" in {mount["mountPath"] for mount in controller["volumeMounts"]}
    [device] = devices(registration(resources)).values()
    assert device["properties"]["ScriptRoots"] == ["/scripts"]
    assert scripts in [config_map["data"] for config_map in of_kind(resources, "ConfigMap")]


def test_the_schema_knows_the_properties_and_their_types() -> None:
    allowed = SCHEMA["definitions"]["properties"]["properties"]
    assert set(allowed) == set(PROPERTIES)
    for name, (data_type, *_) in PROPERTIES.items():
        assert allowed[name]["type"] == JSON_TYPES[str(data_type)], name


def test_the_class_is_registered_as_by_the_files_that_ship(resources: list[Resource]) -> None:
    shipped = json.loads((PROJECT / "tango_db" / "oet-mid.json").read_text())
    for config_map in of_kind(resources, "ConfigMap"):
        if "registration.json" in config_map["data"]:
            registered = json.loads(config_map["data"]["registration.json"])
            assert registered["classes"] == shipped["classes"]
            allowed = registered["classes"]["OETController"]["properties"]["AllowedAccessCmd"]
            assert tuple(allowed) == QUERY_COMMANDS


def source_text() -> str:
    """Return all of the project's code."""
    folders = (PROJECT / "src", PROJECT / "devices")
    return "\n".join(path.read_text() for folder in folders for path in sorted(folder.rglob("*.py")))


def tango_knows(variable: str) -> bool:
    """Return whether a variable is mentioned in PyTango, or in the Tango library that comes with it."""
    package = Path(tango.__file__).parent
    libraries = [*package.parent.glob("pytango.libs/libtango*"), *package.rglob("_tango*.so")]
    libraries += package.rglob("*.py")
    return any(variable.encode() in path.read_bytes() for path in libraries)


def feature_flags() -> set[str]:
    """Return the variables that switch features on and off."""
    names = [name for name in vars(features) if name.isupper() and name not in {"SECTION", "FILE_NAME"}]
    return {f"OET_{getattr(features, name).upper()}" for name in names}


def test_each_feature_can_be_switched() -> None:
    assert feature_flags() <= set(SCHEMA["properties"]["environment"]["properties"])
    [environment] = of_kind(render({"environment": {"OET_RECORD_EXECUTIONS": False}}), "ConfigMap")[:1]
    assert environment["data"]["OET_RECORD_EXECUTIONS"] == "false"


def test_every_environment_variable_is_one_that_the_code_reads() -> None:
    set_somewhere = set(SCHEMA["properties"]["environment"]["properties"])
    set_somewhere |= set(SCHEMA["properties"]["secrets"]["properties"]["values"]["properties"])
    for values in VALUE_SETS.values():
        for container in containers(render(values)):
            set_somewhere |= {variable["name"] for variable in container["env"]}
    code = source_text()
    for variable in set_somewhere - OF_KUBERNETES - feature_flags():
        known = tango_knows(variable) if variable in OF_TANGO else re.search(rf"\b{variable}\b", code)
        assert known, variable


def test_every_secret_reaches_the_pods_that_need_it() -> None:
    resources = render({"secrets": {"existingSecret": "oet"}})
    names = {
        container["name"]: {v["name"] for v in container["env"] if "secretKeyRef" in v.get("valueFrom", {})}
        for container in containers(resources)
    }
    assert names["controller"] == {"OET_JOURNAL_URL", "PGPASSWORD", "ADMIN_POSTGRES_PASSWORD"}
    assert names["sidecar"] == {"OET_API_TOKEN"}
    assert names["register"] == set()


def assert_exists(command: list[str]) -> None:
    """See that a command is one of the distribution's, or a module that can be run."""
    if command[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(command[2]) is not None, command
    else:
        assert command[0] in console_scripts(), command


def test_what_containers_start_and_ask_exists(resources: list[Resource]) -> None:
    for container in containers(resources):
        assert_exists(container["command"])
        for probe in ("livenessProbe", "readinessProbe"):
            if "exec" in container.get(probe, {}):
                assert_exists(container[probe]["exec"]["command"])


def test_the_sidecar_understands_its_options(resources: list[Resource]) -> None:
    for container in containers(resources):
        if container["name"] == "sidecar":
            options = sidecar_command.command_parser().parse_args(container["command"][1:])
            assert options.port == container["ports"][0]["containerPort"]
            assert options.host == "0.0.0.0"


def test_the_sidecar_answers_what_it_is_asked() -> None:
    code = source_text()
    for container in containers(render({})):
        if container["name"] == "sidecar":
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert f'"{container[probe]["httpGet"]["path"]}"' in code
