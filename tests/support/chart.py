"""The Helm chart, rendered as an installation would, without a cluster."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import helm_python
import yaml
from tests.support.site import PROJECT

CHART = PROJECT / "charts" / "ska-oso-oet-tango"
IMAGE = PROJECT / "charts" / "image" / "Dockerfile"

Resource = Mapping[str, Any]

FOUR_SUBARRAYS = {
    "controllers": [
        {
            "instance": instance,
            "devices": [
                {"name": f"mid-oet/controller/{member}", "properties": {"SubarrayId": int(member)}}
                for member in members
            ],
        }
        for instance, members in {"01": ("01", "02"), "02": ("03", "04")}.items()
    ]
}
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
TOKEN = {"values": {"OET_API_TOKEN": "0123456789abcdef"}}
INGRESS_CONTROLLER = {"namespaceSelector": {"matchLabels": {"ingress": "nginx"}}}
OUTSIDE: dict[str, Any] = {
    "ingress": {"enabled": True, "host": "oet.example.org"},
    "networkPolicy": {"restClients": [INGRESS_CONTROLLER]},
}
"""Values for access from outside of the cluster, in addition to a token."""

VALUE_SETS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "operator": {"global": {"operator": True, "tango_host": "tango-databaseds:10000"}},
    "operator without volumes": {
        "global": {"operator": True},
        "controller": {"state": {"persistent": False}},
    },
    "four subarrays": FOUR_SUBARRAYS,
    "one node": {"database": {"embedded": True}, "podDisruptionBudget": {"enabled": False}},
    "scripts": {"scripts": {"observe.py": "def main():\n    print('observed')\n"}},
    "everything outside": {
        **FOUR_SUBARRAYS,
        "secrets": TOKEN,
        "sidecar": {"replicas": 2, "private": True, "allowedHosts": ["*.site.example", "10.0.0.1"]},
        "networkPolicy": {"restClients": [INGRESS_CONTROLLER]},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "oet.example.org",
            "path": "/site/oet",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-buffering": "off"},
            "tls": [{"hosts": ["oet.example.org"], "secretName": "oet-tls"}],
        },
    },
    "an existing secret": {"secrets": {"existingSecret": "oet"}, **OUTSIDE},
    "open to everybody": {
        "secrets": {},
        "sidecar": {"allowWithoutToken": True, "allowedHosts": ["*"]},
        "networkPolicy": {"restClients": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]},
    },
    "nothing optional": {
        "sidecar": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "registration": {"enabled": False},
        "controller": {"state": {"persistent": False}},
        "environment": None,
    },
    "a strict site": {
        "image": {"repository": "registry.example.org/oet", "digest": DIGEST, "pullSecrets": ["pull"]},
        "networkPolicy": {
            "tangoClients": [{"namespaceSelector": {"matchLabels": {"telescope": "mid"}}}],
            "restClients": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        },
        "properties": {"HistoryLength": 20, "StopGracePeriod": 2.5, "EventRetention": 1000000},
        "environment": {"SKA_TELESCOPE": "skalow", "ODA_BACKEND_TYPE": "postgres", "PGPORT": 5432},
        "secrets": {
            "values": {
                **TOKEN["values"],
                "OET_JOURNAL_URL": "postgresql://oet@db/oet",
                "PGPASSWORD": "secret",
            }
        },
        "controller": {
            "state": {"size": "20Gi", "storageClass": "fast"},
            "nodeSelector": {"telescope": "mid"},
            "tolerations": [{"key": "telescope", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "extraVolumes": [{"name": "shared", "persistentVolumeClaim": {"claimName": "scripts"}}],
            "extraVolumeMounts": [{"name": "shared", "mountPath": "/shared", "readOnly": True}],
        },
    },
}
"""Ways to install the chart; each optional part is on in one and off in another."""


def protected(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with a token, which the chart demands, unless they have secrets of their own."""
    return {"secrets": TOKEN, **values}


@cache
def _chart() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


def render(values: Mapping[str, Any], release: str = "oet") -> list[Resource]:
    """Return what would be installed.

    :param values: on top of the chart's own; without ``secrets``, those with a token are added
    :param release: name of the release
    :raises helm_python.HelmError: if the chart refuses the values
    """
    values = protected(values)
    _chart().validate_schema(values)
    rendered = _chart().render(values, name=release, namespace="telescope")
    documents = [
        document
        for name, text in sorted(rendered.items())
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
    ]
    return [document for document in documents if document is not None]


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    """Return the resources of a kind."""
    return [resource for resource in resources if resource["kind"] == kind]


def pod_templates(resources: list[Resource]) -> Iterator[Resource]:
    """Yield the pods' templates, of all that runs pods."""
    for resource in resources:
        if "template" in resource.get("spec", {}):
            yield resource["spec"]["template"]


def containers(resources: list[Resource]) -> Iterator[Resource]:
    """Yield the containers of all pods."""
    for template in pod_templates(resources):
        yield from template["spec"]["containers"]
