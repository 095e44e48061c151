"""Resources for the SKA Tango operator."""

from typing import Any

import pytest
from tests.support.chart import FOUR_SUBARRAYS, VALUE_SETS, Resource, of_kind, render

FIELDS = {
    "affinity",
    "args",
    "clusterDomain",
    "command",
    "config",
    "databaseds",
    "dependsOn",
    "dsname",
    "enableLoadBalancer",
    "env",
    "image",
    "imagePullPolicy",
    "legacycompatibility",
    "nodeSelector",
    "postStart",
    "preStop",
    "resources",
    "script",
    "securityContext",
    "tolerations",
    "volumeMounts",
    "volumes",
}
"""Of a DeviceServer, as the chart library ska-tango-util 0.4 fills it in. Kubernetes refuses others."""

SET_BY_THE_OPERATOR = {"TANGO_HOST", "TANGO_ZMQ_HEARTBEAT_PORT", "TANGO_ZMQ_EVENT_PORT"}


def device_servers(values: dict[str, Any]) -> list[Resource]:
    """Return the specifications of the device servers that a value set makes."""
    given = {**values, "global": {"tango_host": "tango-databaseds:10000", "operator": True}}
    return [server["spec"] for server in of_kind(render(given), "DeviceServer")]


@pytest.mark.parametrize("name", sorted(set(VALUE_SETS) - {"one node"}))
def test_it_is_given_fields_that_it_knows(name: str) -> None:
    for server in device_servers(VALUE_SETS[name]):
        assert set(server) <= FIELDS
        assert not {variable["name"] for variable in server["env"]} & SET_BY_THE_OPERATOR


def test_it_is_told_the_server_and_its_instance_apart_and_the_databases_name_alone() -> None:
    servers = device_servers(FOUR_SUBARRAYS)
    assert [(server["dsname"], server["args"]) for server in servers] == [
        ("OETController", "01"),
        ("OETController", "02"),
    ]
    assert {server["databaseds"] for server in servers} == {"tango-databaseds"}


def test_its_pods_are_placed_and_run_as_the_others() -> None:
    [server] = device_servers(VALUE_SETS["a strict site"])
    assert server["nodeSelector"] == {"telescope": "mid"}
    assert server["tolerations"] == [{"key": "telescope", "operator": "Exists"}]
    assert server["securityContext"]["runAsNonRoot"] is True
    assert server["securityContext"]["runAsUser"] == 1000
