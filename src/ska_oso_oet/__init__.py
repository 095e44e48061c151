"""The Observation Execution Tool: runs observing scripts, one process each."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .features import Features

    __version__: str
    FEATURES: Features
    """The feature flags of this site, as they were when they were first looked up."""


def _leave_current_folder() -> None:
    """Keep a program of this project, started by ``python -m``, from importing modules in the current folder.

    Python would look there first, for any module. Called as early as possible: Python itself is
    still looking for the module then, and has no name of a program.
    """
    if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
        module = sys.orig_argv[sys.orig_argv.index("-m") + 1] if "-m" in sys.orig_argv else ""
        if module.partition(".")[0] in ("ska_oso_oet", "oet_devices"):
            del sys.path[0]


_leave_current_folder()


def __getattr__(name: str) -> Any:
    """Return the version or the feature flags when they are first used: ``oet --help`` needs neither.

    :raises AttributeError: if there is no such name
    """
    if name == "FEATURES":
        from .features import features_of_this_site

        value: Any = features_of_this_site()
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ska-oso-oet-tango")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
