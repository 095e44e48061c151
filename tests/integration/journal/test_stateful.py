"""After any sequence of actions, the durable journal answers as the one in memory."""

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ska_oso_oet.journal import (
    Document,
    JournalEvent,
    MemoryJournal,
    open_journal,
)
from ska_oso_oet.journal import (
    entry_cache as entry_cache,
)

_KINDS = ("procedure", "activity")
_topics = st.sampled_from(["user", "user.script", "user.script.announce", "procedure.pool", "é.\N{OCTOPUS}"])
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(
    lambda msg: json.dumps({"msg": msg})
)


class TwoJournals(RuleBasedStateMachine):
    """Does the same to both. Memory of the durable one is made so small that its file is read too."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = Path(tempfile.mkdtemp(prefix="oet-journal-"))
        self._kept = entry_cache._EVENTS_KEPT, entry_cache._ENDED_DOCUMENTS_KEPT
        entry_cache._EVENTS_KEPT, entry_cache._ENDED_DOCUMENTS_KEPT = 4, 2  # type: ignore[misc]
        self._durable = open_journal(self._directory)
        self._model = MemoryJournal()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._durable.close()
        entry_cache._EVENTS_KEPT, entry_cache._ENDED_DOCUMENTS_KEPT = self._kept  # type: ignore[misc]
        shutil.rmtree(self._directory)

    @rule(
        contents=st.lists(st.tuples(_topics, _texts), max_size=12),
        documents=st.dictionaries(
            st.tuples(st.sampled_from(_KINDS), st.integers(1, 30)),
            st.tuples(_texts, st.booleans()),
            max_size=5,
        ),
    )
    def append(
        self, contents: list[tuple[str, str]], documents: dict[tuple[str, int], tuple[str, bool]]
    ) -> None:
        """Append to both."""
        first = self._model.last_seq + 1
        new = [JournalEvent(seq, *content) for seq, content in enumerate(contents, first)]
        changed = [Document(*key, *value) for key, value in documents.items()]
        self._durable.append(new, changed)
        self._model.append(new, changed)

    @rule()
    def reopen(self) -> None:
        """Restart the server."""
        self._durable.close()
        self._durable = open_journal(self._directory)

    @rule(after=st.integers(0, 100), limit=st.integers(0, 30), topic=st.just("") | _topics)
    def read_events(self, after: int, limit: int, topic: str) -> None:
        """Read the same events from both."""
        assert self._durable.read_events(after, limit, topic) == self._model.read_events(after, limit, topic)

    @rule(kind=st.sampled_from(_KINDS), limit=st.integers(0, 12), document_id=st.integers(0, 31))
    def read_documents(self, kind: str, limit: int, document_id: int) -> None:
        """Read the same documents from both."""
        assert self._durable.newest_documents(kind, limit) == self._model.newest_documents(kind, limit)
        assert self._durable.live_documents(kind) == self._model.live_documents(kind)
        assert self._durable.read_document(kind, document_id) == self._model.read_document(kind, document_id)

    @invariant()
    def same_numbers(self) -> None:
        """Both know where they are."""
        assert (self._durable.first_seq, self._durable.last_seq) == (
            self._model.first_seq,
            self._model.last_seq,
        )
        for kind in _KINDS:
            assert self._durable.last_id(kind) == self._model.last_id(kind)
        assert self._durable.fault is None
        assert self._durable.recovery is None


TestTwoJournals = TwoJournals.TestCase
TestTwoJournals.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
