"""Values that would not work are refused before anything is installed."""

from typing import Any

import helm_python
import pytest
from tests.support.chart import OUTSIDE, render


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"controlers": []}, "controlers"),
        ({"controllers": []}, "controllers"),
        ({"controllers": [{"instance": "01", "devices": []}]}, "devices"),
        ({"controllers": [{"instance": "01", "devices": [{"name": "no-slashes"}]}]}, "name"),
        ({"controllers": [{"instance": "a b", "devices": [{"name": "a/b/c"}]}]}, "instance"),
        ({"controllers": [{"devices": [{"name": "a/b/c"}]}]}, "instance"),
        ({"properties": {"HistoryLenght": 10}}, "HistoryLenght"),
        ({"properties": {"HistoryLength": "many"}}, "HistoryLength"),
        ({"properties": {"HistoryLength": -1}}, "HistoryLength"),
        ({"properties": {"ScriptRoots": ["scripts"]}}, "ScriptRoots"),
        ({"environment": {"SKA_TELESKOPE": "skamid"}}, "SKA_TELESKOPE"),
        ({"environment": {"SKA_TELESCOPE": "mid"}}, "SKA_TELESCOPE"),
        ({"environment": {"ODA_BACKEND_TYPE": "mongo"}}, "ODA_BACKEND_TYPE"),
        ({"environment": {"ODA_URL": "oda:5000"}}, "ODA_URL"),
        ({"environment": {"ODA_BACKEND_TYPE": "rest"}}, "ODA_URL"),
        ({"environment": {"CENTRALNODE_FQDN": "central_node"}}, "CENTRALNODE_FQDN"),
        (
            {"environment": {"SUBARRAYNODE_FQDN_PREFIX": "ska_mid/tm_subarray_node/1"}},
            "SUBARRAYNODE_FQDN_PREFIX",
        ),
        ({"environment": {"SKUID_URL": "skuid service"}}, "SKUID_URL"),
        ({"environment": {"PGPORT": "postgres"}}, "PGPORT"),
        ({"environment": {"PGHOST": "postgresql://db"}}, "PGHOST"),
        ({"environment": {"OET_RECORD_EXECUTIONS": "maybe"}}, "OET_RECORD_EXECUTIONS"),
        ({"environment": {"PGPASSWORD": "secret"}}, "PGPASSWORD"),
        ({"secrets": {"values": {"OET_API_TOKEN": "short"}}}, "OET_API_TOKEN"),
        ({"secrets": {"values": {"OET_JOURNAL_URL": "mysql://db"}}}, "OET_JOURNAL_URL"),
        ({"global": {"tango_host": "databaseds"}}, "tango_host"),
        ({"scripts": {"../evil.py": ""}}, "../evil.py"),
        ({"sidecar": {"replicas": 0}}, "replicas"),
        ({"sidecar": {"allowedHosts": ["http://oet.example.org"]}}, "allowedHosts"),
        ({"image": {"digest": "1234"}}, "digest"),
        ({"sidecar": {"port": 80}}, "port"),
        ({"ingress": {"path": "oet"}}, "path"),
        ({"ingress": {"host": "https://oet.example.org"}}, "host"),
        ({"podSecurity": {"runAsUser": 0}}, "runAsUser"),
        ({"controller": {"state": {"size": "much"}}}, "size"),
        ({"database": {"embedded": "yes"}}, "embedded"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(helm_python.HelmError) as refused:
        render(values)
    assert named in str(refused.value)


def two(first: str, second: str, instances: tuple[str, str] = ("01", "02")) -> dict[str, Any]:
    """Return values with two servers of a device each."""
    return {
        "controllers": [
            {"instance": instance, "devices": [{"name": name}]}
            for instance, name in zip(instances, (first, second), strict=True)
        ]
    }


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        (two("a/b/c", "A/b/C"), "the devices a/b/c and A/b/C have names that cannot be distinguished"),
        (
            two("a_b/c/d", "a-b/c/d"),
            "the devices a_b/c/d and a-b/c/d have names that cannot be distinguished",
        ),
        (two("a/b/1", "a/b/2", ("x", "X")), "the instance X exists twice"),
        (
            {**two("a/b/1", "a/b/2"), "properties": {"StateDirectory": "/s"}},
            "each device needs one of its own",
        ),
        ({"controller": {"ports": {"event": 45450}}}, "need a port each"),
        ({"secrets": {}}, "or sidecar.allowWithoutToken"),
        ({"secrets": {"values": {"PGPASSWORD": "secret"}}}, "or sidecar.allowWithoutToken"),
        ({**OUTSIDE, "ingress": {"enabled": True}}, "or sidecar.allowedHosts"),
        ({**OUTSIDE, "networkPolicy": {}}, "networkPolicy.restClients"),
        ({"properties": {"StopGracePeriod": 30}}, "terminationGracePeriodSeconds"),
        ({"global": {"operator": True, "tango_host": "databaseds:10001"}}, "at port 10000"),
    ],
)
def test_values_that_do_not_go_together_are_refused(values: dict[str, Any], reported: str) -> None:
    with pytest.raises(helm_python.HelmError, match=reported):
        render(values)


def test_what_sites_use_is_let_through() -> None:
    environment = {
        "CENTRALNODE_FQDN": "ska_mid/tm_central/central_node",
        "SUBARRAYNODE_FQDN_PREFIX": "ska_mid/tm_subarray_node",
        "SKUID_URL": "ska-ser-skuid-svc.ns.svc.cluster.local:9870",
        "ODA_URL": "http://ska-db-oda-rest:5000/ns/oda/api/v9",
        "PGHOST": "postgres.ns.svc",
        "PGPORT": "5432",
        "POSTGRES_PORT": 5432,
    }
    assert render({"environment": environment, "ingress": {"host": "*.oet.example.org"}})


def test_what_an_umbrella_chart_shares_is_let_through() -> None:
    assert render({"global": {"tango_host": "databaseds:10000", "cluster_domain": "cluster.local"}})
