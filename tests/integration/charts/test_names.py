"""Names and labels that Kubernetes accepts, whatever the release and the devices are called."""

import re

import pytest
from tests.support.chart import OUTSIDE, Resource, of_kind, pod_templates, render

SERVICE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
STATEFUL_SET = 52
"""Maximum length of its name: its pods have it in a label of 63 characters, with a suffix for revisions."""

LONG = "a-telescope-on-the-far-side-of-the-moon-in-its-2nd-year"
DEVICES = [
    "Mid.OET/controller_A/01",
    f"{LONG}-of-operation/controller/01",
    f"{LONG}-of-operation/controller/02",
]


@pytest.fixture(params=["oet", "2", "2.1", LONG[:53]])
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What a release of that name consists of."""
    values = {
        "controllers": [
            {"instance": "A-Server-With-20-Chr", "devices": [{"name": name} for name in DEVICES]}
        ],
        "database": {"embedded": True},
        "sidecar": {"replicas": 2},
        **OUTSIDE,
    }
    return render(values, request.param)


def test_names_are_accepted(resources: list[Resource]) -> None:
    names = [(resource["kind"], resource["metadata"]["name"]) for resource in resources]
    assert len(set(names)) == len(names)
    for kind, name in names:
        assert SERVICE_NAME.fullmatch(name), (kind, name)
        assert kind != "StatefulSet" or len(name) <= STATEFUL_SET


def test_labels_are_accepted(resources: list[Resource]) -> None:
    for template in pod_templates(resources):
        for value in template["metadata"]["labels"].values():
            assert LABEL.fullmatch(value), value


def test_each_device_has_a_path_of_its_own(resources: list[Resource]) -> None:
    [ingress] = of_kind(resources, "Ingress")
    paths = [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]
    assert len(set(paths)) == len(DEVICES)
    assert paths[0] == "/oet/mid-oet-controller-a-01"
