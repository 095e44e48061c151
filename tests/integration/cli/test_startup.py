"""Imports of the command before it sends a request."""

import subprocess
import sys

import pytest

SLOW = ("httpx", "pydantic", "rich", "importlib.metadata")
"""Each takes longer to import than help may take to appear."""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["procedure", "start", "--help"], ["activity", "run", "--help"], ["procedure", "create"]],
)
def test_help_and_misuse_import_nothing_slow(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from ska_oso_oet.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "finally:\n"
        f"    sys.stderr.write(str([name for name in {SLOW!r} if name in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("[]"), done.stderr[-2000:]
