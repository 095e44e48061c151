"""The image that all pods of the chart run. It is not built here, but its steps are."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import pytest
from tests.support.chart import IMAGE, containers, of_kind, render
from tests.support.patience import LONG_PATIENCE
from tests.support.site import PROJECT, console_scripts

DOCKERFILE = IMAGE.read_text().replace("\\\n", " ")


def copied() -> Iterator[str]:
    """Yield what is copied from the project."""
    for names in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        yield from names.split()


def variables() -> dict[str, str]:
    """Return the variables that the image sets."""
    settings = re.findall(r"^ENV (.+)$", DOCKERFILE, re.MULTILINE)
    return dict(setting.split("=", 1) for line in settings for setting in shlex.split(line))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel that is built of what the image has, and of nothing else."""
    context, built = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("wheels")
    for name in copied():
        source, target = PROJECT / name, context / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)]
    done = subprocess.run(command, cwd=context, capture_output=True, text=True, timeout=LONG_PATIENCE)
    assert done.returncode == 0, done.stderr
    [path] = built.glob("*.whl")
    return set(zipfile.ZipFile(path).namelist())


def test_the_wheel_has_all_that_the_packages_have(wheel: set[str]) -> None:
    for folder in (PROJECT / "src", PROJECT / "devices"):
        files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        wanted = {str(path) for path in files if path.suffix in {".py", ".json"}}
        assert wanted <= wheel, folder


def test_the_wheel_has_the_registrations(wheel: set[str]) -> None:
    files = {f"oet_devices/tango_db/{path.name}" for path in (PROJECT / "tango_db").glob("*.json")}
    assert files
    assert files <= wheel


def test_the_wheel_has_what_its_commands_call(wheel: set[str]) -> None:
    for entry in console_scripts().values():
        module = entry.partition(":")[0].replace(".", "/")
        assert wheel & {f"{module}.py", f"{module}/__init__.py"}, entry


def test_docker_is_given_what_is_copied() -> None:
    given = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(given) == set(copied())
    assert all((PROJECT / name).exists() for name in given)


def test_it_runs_as_the_charts_user_and_keeps_state_where_the_chart_has_it() -> None:
    [user] = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    [server] = of_kind(render({}), "StatefulSet")
    chart = server["spec"]["template"]["spec"]["securityContext"]
    assert user == (str(chart["runAsUser"]), str(chart["runAsGroup"]))
    [controller] = containers([server])
    for variable in controller["env"]:
        if variable["name"] in {"HOME", "OET_STATE_DIRECTORY"}:
            assert variables()[variable["name"]] == variable["value"]


def test_it_is_built_in_stages_and_starts_a_device_server() -> None:
    assert DOCKERFILE.count("FROM ") == 3
    [started] = re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert json.loads(started) == ["OETController", "01"]
    assert "OETController" in console_scripts()
