"""Resources of the chart for Prometheus and Grafana."""

import json

import yaml
from tests.support.chart import CHART, of_kind, render
from tests.support.metrics import exposed, names_in, names_in_queries, sample_figures, sight

RULES = CHART / "monitoring" / "rules.yaml"
DASHBOARD = CHART / "monitoring" / "dashboard.json"
ALL: dict[str, object] = {
    "secrets": {"values": {"OET_API_TOKEN": "0123456789abcdef"}},
    "sidecar": {"private": True},
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
}


def known() -> set[str]:
    return names_in(exposed(sight(1, "d", sample_figures())))


def test_each_part_is_off_by_default() -> None:
    resources = render({})
    assert of_kind(resources, "ServiceMonitor") == of_kind(resources, "PrometheusRule") == []
    assert [each for each in of_kind(resources, "ConfigMap") if "dashboard" in each["metadata"]["name"]] == []


def test_what_is_scraped_are_the_rest_services() -> None:
    resources = render(ALL)
    [monitor] = of_kind(resources, "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [
        each for each in of_kind(resources, "Service") if wanted <= each["metadata"]["labels"].items()
    ]
    assert [each["spec"]["ports"][0]["name"] for each in services] == ["http"]
    [endpoint] = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    credentials = endpoint["authorization"]["credentials"]
    assert credentials["name"] in {each["metadata"]["name"] for each in of_kind(resources, "Secret")}


def test_the_rules_and_the_dashboard_are_those_of_the_files() -> None:
    resources = render(ALL)
    [rule] = of_kind(resources, "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(RULES.read_text())
    [dashboard] = [each for each in of_kind(resources, "ConfigMap") if "ska-oso-oet.json" in each["data"]]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["ska-oso-oet.json"]) == json.loads(DASHBOARD.read_text())


def test_rules_ask_for_metrics_that_there_are() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    queried = names_in_queries(rule["expr"] for rule in rules)
    assert queried
    assert queried <= known()
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    variables = [each["query"] for each in dashboard["templating"]["list"]]
    queried = names_in_queries([*queries, *variables])
    assert len(queried) > 15
    assert queried <= known()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
