"""The Observation Execution Tool: runs observing scripts, one process each."""


def __getattr__(name: str) -> str:
    """Look the version up once it is asked for: that takes as long as all else that ``oet --help`` does.

    :raises AttributeError: if something else is asked for
    """
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ska-oso-oet-tango")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
