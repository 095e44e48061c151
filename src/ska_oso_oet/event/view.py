"""The newest documents of one kind, in memory: what clients see, and nothing that is not in the journal."""

import threading
from concurrent.futures import Future
from contextlib import suppress

from .bus import Batch, EventBus, irrevocable_future
from .journal import Document, JournalUnavailable


class DocumentView:
    """All live documents of a kind, and the newest of those that have ended.

    The thread of the bus writes, after each commit; any thread may read.

    :param bus: where documents come from
    :param kind: the kind to show
    :param ended_limit: how many ended ones to keep at hand; older ones are read from the journal
    """

    def __init__(self, bus: EventBus, kind: str, ended_limit: int) -> None:
        self._journal = bus.journal
        self._kind = kind
        self._ended_limit = ended_limit
        self._lock = threading.Lock()
        self._documents: dict[int, Document] = {}
        self._waiting: dict[int, list[Future[Document]]] = {}
        self._done: list[tuple[Future[Document], Document]] = []
        bus.subscribe(self._on_batch)
        bus.subscribe(self._conclude, last=True)
        # Whoever has made this recalls them when the journal can be read.
        with suppress(JournalUnavailable):
            self.recall()

    def recall(self) -> None:
        """Show what the journal has from before, beside what has come since. Does not wait for the bus.

        :raises JournalUnavailable: if the journal cannot be read at present
        """
        live = self._journal.live_documents(self._kind)
        newest = self._journal.newest_documents(self._kind, self._ended_limit)
        self._keep([*live, *newest], only_unknown=True)
        self._conclude()

    def _on_batch(self, batch: Batch) -> None:
        mine = [document for document in batch.documents if document.kind == self._kind]
        if mine:
            self._keep(mine)

    def _keep(self, documents: list[Document], *, only_unknown: bool = False) -> None:
        with self._lock:
            for document in documents:
                if only_unknown and document.id in self._documents:
                    continue
                self._documents[document.id] = document
                if not document.live:
                    self._done += [(future, document) for future in self._waiting.pop(document.id, [])]
            ended = sorted(document.id for document in self._documents.values() if not document.live)
            for document_id in ended[: max(0, len(ended) - self._ended_limit)]:
                del self._documents[document_id]

    def _conclude(self, _: Batch | None = None) -> None:
        """Tell those who wait for ends. Whoever listens to the bus has heard of them by now."""
        with self._lock:
            done, self._done = self._done, []
        for future, document in done:
            future.set_result(document)

    def all(self) -> list[Document]:
        """Return the documents, ordered by ID."""
        with self._lock:
            return [self._documents[document_id] for document_id in sorted(self._documents)]

    def last_id(self) -> int:
        """Return the ID of the newest document, 0 if there is none."""
        with self._lock:
            return max(self._documents, default=0)

    def get(self, document_id: int) -> Document | None:
        """Return a document, also an older one, or None if it is not known or no longer kept."""
        with self._lock:
            document = self._documents.get(document_id)
        return document or self._journal.read_document(self._kind, document_id)

    def ended(self, document_id: int) -> "Future[Document]":
        """Return a future for a document in its final form.

        It is done by the thread of the bus, when all subscribers have been told of the end.
        """
        future: Future[Document] = irrevocable_future()
        with self._lock:
            # It may have ended, and been followed by so many that it is no longer at hand. What is committed
            # after this look at the journal has to wait for the lock to be told.
            known = self._documents.get(document_id) or self._journal.read_document(self._kind, document_id)
            if known is None or known.live:
                self._waiting.setdefault(document_id, []).append(future)
                return future
        future.set_result(known)
        return future
