"""Imports what an observation does, and does nothing."""

import numpy
import tango


def main() -> None:
    """Do nothing: the imports are what takes time."""
    assert numpy is not None
    assert tango is not None
