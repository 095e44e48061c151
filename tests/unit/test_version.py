"""All that names the version of the project names the same one: that of pyproject.toml."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from tests.support.site import PROJECT

import oet_devices
import ska_oso_oet
from oet_devices.controller import OETController
from oet_devices.ska.information import Release

VERSION: str = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]


def test_the_installed_packages_have_the_version_of_the_project() -> None:
    assert version("ska-oso-oet-tango") == VERSION, "installed before: run make .venv/.installed"
    assert ska_oso_oet.__version__ == VERSION


def test_the_device_says_the_version() -> None:
    """It is the attribute versionId, and a part of buildState."""
    release: Release = OETController.RELEASE
    assert release.version == VERSION


def test_the_chart_has_the_version() -> None:
    chart = yaml.safe_load((PROJECT / "charts" / "ska-oso-oet-tango" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_the_image_of_the_chart_is_that_of_the_version() -> None:
    """Pods run the tag of appVersion, unless the site names another one."""
    values = yaml.safe_load((PROJECT / "charts" / "ska-oso-oet-tango" / "values.yaml").read_text())
    assert values["image"]["tag"] == ""
    assert re.findall(r"\d+\.\d+\.\d+(?!\.)", (PROJECT / "charts" / "image" / "Dockerfile").read_text()) == []


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_interface_has_the_version(name: str) -> None:
    assert json.loads((PROJECT / name).read_text())["info"]["version"] == VERSION


def test_the_changelog_says_what_is_new_in_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert VERSION in headings[:2]


@pytest.mark.parametrize("package", [ska_oso_oet, oet_devices])
def test_type_checkers_take_the_types_of_a_package(package: object) -> None:
    """PEP 561: without the file, a checker takes all that is imported from the package for Any."""
    folder = Path(str(vars(package)["__file__"])).parent
    assert (folder / "py.typed").is_file()
