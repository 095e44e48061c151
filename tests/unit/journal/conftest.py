"""Fixtures for tests of journals in memory and in SQLite."""

from tests.support.journals import housekeeping as housekeeping
from tests.support.journals import next_version as next_version
from tests.support.journals import no_thread_is_left as no_thread_is_left
from tests.support.journals import opened as opened
