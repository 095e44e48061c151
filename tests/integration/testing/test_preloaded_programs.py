"""Programs that tests fork from a process which has imported what they need."""

import os
import sys

from tests.support.patience import PATIENCE
from tests.support.preloaded_programs import TEST_MARK, start

from ska_oso_oet.mptools import strays

_COMMAND = [sys.executable, "-m", "tango.databaseds.database", "--help"]


def test_a_program_is_forked_also_where_workers_and_tests_have_left_their_marks() -> None:
    marks = dict.fromkeys((strays.MARK, TEST_MARK, "TANGO_HOST"), "a value that nothing reads at an import")
    program = start(_COMMAND, {**os.environ, **marks}, None)
    assert program is not None
    with program.stdout:
        assert program.stdout.read().startswith("usage: ")
    assert program.wait(PATIENCE) == 0


def test_a_program_with_a_variable_of_its_own_is_started_afresh() -> None:
    assert start(_COMMAND, {**os.environ, "OET_CONFIG": "a"}, None) is None
