"""Tests of long benchmarks, which `make bench` runs in any case."""

import os

import pytest

ONLY_WITH_BENCHMARKS = pytest.mark.skipif(
    os.environ.get("OET_TEST_BENCHMARKS") != "1", reason="OET_TEST_BENCHMARKS=1 runs it; so does make bench"
)
"""Mark of a test that takes half a minute, and needs another program."""
