"""The rendered chart is valid, secure, and connected."""

from collections.abc import Mapping
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from tests.support.chart import (
    CHART,
    DIGEST,
    FOUR_SUBARRAYS,
    OUTSIDE,
    VALUE_SETS,
    Resource,
    containers,
    of_kind,
    pod_templates,
    protected,
    render,
)

from ska_oso_oet.sidecar.hosts import KnownHosts

WARNING = 2
NOT_OF_KUBERNETES = {"DeviceServer"}


@pytest.fixture(params=VALUE_SETS.values(), ids=list(VALUE_SETS))
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What one of the value sets renders to."""
    return render(request.param)


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS)
def test_helm_finds_nothing_to_complain_about(values: dict[str, Any]) -> None:
    report = helm_python.lint(CHART, protected(values), strict=True)
    assert report["errors"] == []
    assert [finding for finding in report["messages"] if finding["severity"] >= WARNING] == []


def test_kubernetes_would_accept_it(resources: list[Resource]) -> None:
    for resource in resources:
        if resource["kind"] not in NOT_OF_KUBERNETES:
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
    names = [(resource["kind"], resource["metadata"]["name"]) for resource in resources]
    assert len(set(names)) == len(names)


def test_no_pod_has_privileges(resources: list[Resource]) -> None:
    for template in pod_templates(resources):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(resources):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_what_stays_is_probed(resources: list[Resource]) -> None:
    for kind in ("StatefulSet", "Deployment"):
        for container in containers(of_kind(resources, kind)):
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


def test_rest_services_stay_to_tell_that_their_controller_is_away() -> None:
    [sidecar] = [container for container in containers(render({})) if container["name"] == "sidecar"]
    assert sidecar["readinessProbe"]["httpGet"]["path"] == "/healthz"


def selected(selector: Mapping[str, str], resources: list[Resource]) -> int:
    """Return how many workloads have pods with these labels."""
    labels = [template["metadata"]["labels"] for template in pod_templates(resources)]
    return sum(selector.items() <= has.items() for has in labels)


def test_each_service_leads_to_the_pods_of_one_workload(resources: list[Resource]) -> None:
    for service in of_kind(resources, "Service"):
        assert selected(service["spec"]["selector"], resources) == 1
        ports = {port["name"] for container in containers(resources) for port in container.get("ports", ())}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_policies_are_about_pods_that_there_are(resources: list[Resource]) -> None:
    for policy in of_kind(resources, "NetworkPolicy"):
        assert selected(policy["spec"]["podSelector"]["matchLabels"], resources) > 0
    for budget in of_kind(resources, "PodDisruptionBudget"):
        assert selected(budget["spec"]["selector"]["matchLabels"], resources) > 0


def test_what_pods_mount_and_refer_to_is_there(resources: list[Resource]) -> None:
    known = {resource["metadata"]["name"] for resource in resources if resource["kind"] == "ConfigMap"}
    for template in pod_templates(resources):
        volumes = {volume["name"]: volume for volume in template["spec"].get("volumes", ())}
        assert {v["configMap"]["name"] for v in volumes.values() if "configMap" in v} <= known
        for container in template["spec"]["containers"]:
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted - set(volumes) <= {"state"}
            referred = {source["configMapRef"]["name"] for source in container.get("envFrom", ())}
            assert referred <= known


def kinds(values: Mapping[str, Any]) -> set[str]:
    return {resource["kind"] for resource in render(values)}


@pytest.mark.parametrize(
    ("values", "there", "not_there"),
    [
        ({}, {"StatefulSet", "Job", "NetworkPolicy", "PodDisruptionBudget"}, {"Ingress"}),
        ({"global": {"operator": True}}, {"DeviceServer", "PersistentVolumeClaim"}, {"StatefulSet", "Job"}),
        ({"sidecar": {"enabled": False}}, {"StatefulSet"}, {"Deployment", "Ingress"}),
        (OUTSIDE, {"Secret", "Ingress"}, set()),
        ({"secrets": {"existingSecret": "oet"}, **OUTSIDE}, {"Ingress"}, {"Secret"}),
        ({"secrets": {}, "sidecar": {"allowWithoutToken": True}}, {"Deployment"}, {"Secret"}),
        ({"networkPolicy": {"enabled": False}}, {"Deployment"}, {"NetworkPolicy"}),
        ({"podDisruptionBudget": {"enabled": False}}, {"Deployment"}, {"PodDisruptionBudget"}),
        ({"registration": {"enabled": False}}, {"StatefulSet"}, {"Job"}),
    ],
)
def test_optional_parts_are_there_when_asked_for(
    values: dict[str, Any], there: set[str], not_there: set[str]
) -> None:
    found = kinds(values)
    assert there <= found
    assert not not_there & found


def test_there_is_one_server_for_each_instance_and_one_rest_service_for_each_device() -> None:
    resources = render(FOUR_SUBARRAYS)
    assert len(of_kind(resources, "StatefulSet")) == 2
    assert len(of_kind(resources, "Deployment")) == 4
    assert all(workload["spec"]["replicas"] == 1 for workload in of_kind(resources, "StatefulSet"))


def test_with_the_embedded_database_all_pods_use_it() -> None:
    resources = render({"database": {"embedded": True}})
    services = {service["metadata"]["name"] for service in of_kind(resources, "Service")}
    variables = [variable for container in containers(resources) for variable in container["env"]]
    hosts = {variable["value"] for variable in variables if variable["name"] == "TANGO_HOST"}
    assert hosts == {"oet-oet-database:10000"}
    assert "oet-oet-database" in services


def test_every_path_of_the_ingress_leads_to_the_service_that_knows_it() -> None:
    resources = render(VALUE_SETS["everything outside"])
    [ingress] = of_kind(resources, "Ingress")
    paths = {
        path["backend"]["service"]["name"]: path["path"]
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    reported = {
        deployment["metadata"]["name"]: argument.partition("=")[2]
        for deployment in of_kind(resources, "Deployment")
        for argument in deployment["spec"]["template"]["spec"]["containers"][0]["command"]
        if argument.startswith("--root-path=")
    }
    assert paths == reported
    assert len(set(paths.values())) == 4


@pytest.mark.parametrize(("waived", "listening"), [(False, []), (True, ["--insecure"])])
def test_open_services_must_be_meant(waived: bool, listening: list[str]) -> None:
    """A Secret may come without a token. Then pods start only if that is meant."""
    resources = render(
        {"secrets": {"existingSecret": "oet"}, "sidecar": {"allowWithoutToken": waived}, **OUTSIDE}
    )
    [sidecar] = [container for container in containers(resources) if container["name"] == "sidecar"]
    [token] = [variable for variable in sidecar["env"] if variable["name"] == "OET_API_TOKEN"]
    assert token["valueFrom"]["secretKeyRef"]["optional"] is waived
    assert [option for option in sidecar["command"] if option == "--insecure"] == listening


def test_rest_services_know_the_names_that_lead_to_them() -> None:
    values = VALUE_SETS["everything outside"]
    resources = render(values)
    for deployment in of_kind(resources, "Deployment"):
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        [names] = [v["value"].split() for v in container["env"] if v["name"] == "OET_ALLOWED_HOSTS"]
        service = deployment["metadata"]["name"]
        known = KnownHosts(names)
        cluster = f"{service}.telescope.svc.cluster.local:5000"
        for name in (service, cluster, "oet.example.org", "a.site.example"):
            assert known.admit(name, "")
        assert not known.admit("evil.example", "")


def test_an_image_can_be_named_by_its_digest() -> None:
    resources = render({"image": {"repository": "registry.example.org/oet", "tag": "1.2", "digest": DIGEST}})
    images = {container["image"] for container in containers(resources)}
    assert images == {f"registry.example.org/oet@{DIGEST}"}


def test_secrets_are_in_the_secret_alone() -> None:
    values = {"values": {"OET_API_TOKEN": "0123456789abcdef", "OET_JOURNAL_URL": "postgresql://u:geheim@h/d"}}
    for resource in render({"secrets": values}):
        if resource["kind"] != "Secret":
            assert "0123456789abcdef" not in str(resource)
            assert "geheim" not in str(resource)


def test_another_registration_is_another_job() -> None:
    [first] = of_kind(render({}), "Job")
    [second] = of_kind(render({"properties": {"HistoryLength": 3}}), "Job")
    assert first["metadata"]["name"] != second["metadata"]["name"]


@pytest.mark.parametrize(
    "values",
    [
        {"global": {"tango_host": "elsewhere:10000"}},
        {"podSecurity": {"runAsUser": 1001}},
        {"image": {"pullSecrets": ["pull"]}},
    ],
)
def test_a_job_that_would_differ_has_another_name(values: dict[str, Any]) -> None:
    """Kubernetes refuses to change the pods of a job: an upgrade would fail."""
    [first], [second] = of_kind(render({}), "Job"), of_kind(render(values), "Job")
    assert first["spec"] != second["spec"]
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_policies_are_closed_unless_a_site_opens_them() -> None:
    own = {
        "app.kubernetes.io/name": "ska-oso-oet-tango",
        "app.kubernetes.io/instance": "oet",
    }
    policies = of_kind(render({"database": {"embedded": True}}), "NetworkPolicy")
    assert len(policies) == 3
    for policy in policies:
        [way_in] = policy["spec"]["ingress"]
        assert way_in["from"] == [{"podSelector": {"matchLabels": own}}]


def test_whoever_may_use_tango_may_use_the_database_that_comes_along() -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"telescope": "mid"}}}]
    resources = render({"database": {"embedded": True}, "networkPolicy": {"tangoClients": peers}})
    policies = {p["metadata"]["name"]: p["spec"]["ingress"] for p in of_kind(resources, "NetworkPolicy")}
    [controllers], [database] = policies["oet-oet-controllers"], policies["oet-oet-database"]
    assert peers[0] in database["from"]
    assert database["from"] == controllers["from"]
    assert database["ports"] == [{"protocol": "TCP", "port": 10000}]


def test_policies_let_through_what_is_needed(resources: list[Resource]) -> None:
    policies = {p["metadata"]["name"]: p["spec"] for p in of_kind(resources, "NetworkPolicy")}
    served = {
        c["name"]: {port["containerPort"] for port in c.get("ports", ())} for c in containers(resources)
    }
    if "oet-oet-controllers" in policies:
        [way_in] = policies["oet-oet-controllers"]["ingress"]
        assert {port["port"] for port in way_in["ports"]} == served["controller"]
        assert "Egress" not in policies["oet-oet-controllers"]["policyTypes"]
    if "oet-oet-rest" in policies:
        way_out = {
            (port["protocol"], port["port"]) for port in policies["oet-oet-rest"]["egress"][0]["ports"]
        }
        [host] = {v["value"] for c in containers(resources) for v in c["env"] if v["name"] == "TANGO_HOST"}
        needed = {53, int(host.rpartition(":")[2])} | served.get("controller", set())
        assert way_out == {("TCP", port) for port in needed} | {("UDP", 53)} | {
            ("TCP", port) for port in (45450, 45460, 45470)
        }


def test_a_site_can_let_the_rest_services_reach_access_control() -> None:
    rule = {"to": [{"podSelector": {"matchLabels": {"app": "access-control"}}}]}
    resources = render({"networkPolicy": {"restEgress": [rule]}})
    [rest] = [p for p in of_kind(resources, "NetworkPolicy") if p["metadata"]["name"] == "oet-oet-rest"]
    assert rule in rest["spec"]["egress"]
