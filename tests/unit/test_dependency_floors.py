"""No version with a known vulnerability is accepted of what a site installs."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
EXTRAS = ("server", "notify", "otel")

VULNERABLE = [
    # CVE-2024-24762: a form's Content-Type takes the processor for a long time.
    ("fastapi", "0.109.0"),
    # CVE-2026-78676: settings that are injected run programs.
    ("gitpython", "3.1.58"),
    # CVE-2026-42215, CVE-2026-42284: options of git are not checked.
    ("gitpython", "3.1.46"),
    # CVE-2025-43859: malformed chunks smuggle requests past a proxy.
    ("h11", "0.14.0"),
    # CVE-2021-41945: a URL is taken for another one.
    ("httpx", "0.22.0"),
    # CVE-2025-67221: deeply nested values end the process.
    ("orjson", "3.11.4"),
    # CVE-2024-3772: an e-mail address takes the processor for a long time.
    ("pydantic", "2.3.0"),
    # CVE-2026-54283: limits of a form do not hold.
    ("starlette", "1.3.0"),
    # CVE-2026-48710: a Host header passes by checks of the path.
    ("starlette", "1.0.0"),
    # CVE-2025-62727: a Range header takes the processor for a long time.
    ("starlette", "0.49.0"),
    # GHSA-3cv2-h65g-fgmm, GHSA-4gg8-gxpx-9rph: a package writes outside of its environment.
    ("uv", "0.11.14"),
    # GHSA-pqhf-p39g-3x64: the ZIP archive of a package has other files for uv than for other programs.
    ("uv", "0.9.5"),
    # CVE-2025-54368: as above.
    ("uv", "0.8.5"),
    # CVE-2020-7694: a path writes lines of its own into the log.
    ("uvicorn", "0.11.6"),
]


def requirements() -> Iterator[Requirement]:
    """Yield what the distribution requires, with the extras that a site installs."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    for text in project["dependencies"]:
        yield Requirement(text)
    for extra in EXTRAS:
        for text in project["optional-dependencies"][extra]:
            yield Requirement(text)


@pytest.mark.parametrize(("name", "version"), VULNERABLE)
def test_a_version_with_a_known_vulnerability_is_not_accepted(name: str, version: str) -> None:
    found = [each for each in requirements() if canonicalize_name(each.name) == name]
    assert found, f"{name} is not required: remove it from the list"
    assert not any(each.specifier.contains(version) for each in found)


def test_every_requirement_has_a_floor() -> None:
    without = [
        each.name
        for each in requirements()
        if not any(clause.operator in (">=", "==", "~=") for clause in each.specifier)
    ]
    assert without == []
