"""The Python environment that scripts run in: interpreter and packages.

Importing this takes a while: the forkserver does it once for all workers.
"""

import platform
from importlib import metadata
from typing import Any


def _installed() -> list[str]:
    """Return the packages that can be imported, as ``name==version``; the first of those with one name."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:
            found[name] = distribution.version
    return sorted(f"{name}=={version}" for name, version in found.items())


ENVIRONMENT: dict[str, Any] = {"python": platform.python_version(), "packages": _installed()}
"""JSON form of a `PythonEnvironment`."""
