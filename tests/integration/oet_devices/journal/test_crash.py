"""A device server is killed at random moments: nothing that clients have seen is lost, nobody outlives it.

``python -m tests.crash --rounds 100`` is the same for longer, with PostgreSQL if OET_JOURNAL_URL names one.
"""

import os
import random
from pathlib import Path

import pytest
from tests.crash.harness import CrashHarness
from tests.crash.sightings import By
from tests.support.patience import patience

from ska_oso_oet.journal import JOURNAL_URL_VARIABLE

_ROUNDS = int(os.environ.get("OET_CRASH_ROUNDS", "2"))
_SEED = os.environ.get("OET_CRASH_SEED") or str(random.SystemRandom().randrange(2**32))


@pytest.fixture(params=["sqlite", "postgres"])
def _journal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have servers keep their journals in either kind of database."""
    if request.param == "postgres":
        monkeypatch.setenv(JOURNAL_URL_VARIABLE, request.getfixturevalue("postgres_server").url)


@pytest.mark.usefixtures("_journal")
@pytest.mark.timeout(patience(60 + 60 * _ROUNDS))
def test_nothing_that_was_seen_is_lost_by_a_kill_of_the_server(tmp_path: Path) -> None:
    print(f"OET_CRASH_SEED={_SEED}")
    rounds = list(CrashHarness(tmp_path, _SEED).run(_ROUNDS))
    assert [str(each) for each in rounds if each.findings] == []
    # By each kind of client, or nothing would have been compared.
    assert {by for each in rounds for by, count in each.seen_by.items() if count} == set(By)
