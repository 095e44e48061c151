"""The newest documents of one kind, in memory: what clients see, and nothing that is not in the journal."""

import threading
from concurrent.futures import Future

from .bus import Batch, EventBus
from .journal import Document


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
        known = [*self._journal.live_documents(kind), *self._journal.newest_documents(kind, ended_limit)]
        self._keep(known)
        bus.subscribe(self._on_batch)

    def _on_batch(self, batch: Batch) -> None:
        mine = [document for document in batch.documents if document.kind == self._kind]
        if mine:
            self._keep(mine)

    def _keep(self, documents: list[Document]) -> None:
        done: list[tuple[Future[Document], Document]] = []
        with self._lock:
            for document in documents:
                self._documents[document.id] = document
                if not document.live:
                    done += [(future, document) for future in self._waiting.pop(document.id, [])]
            ended = sorted(document.id for document in self._documents.values() if not document.live)
            for document_id in ended[: max(0, len(ended) - self._ended_limit)]:
                del self._documents[document_id]
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
        """Return a future for a document in its final form; it is done by the thread of the bus."""
        future: Future[Document] = Future()
        with self._lock:
            # One that has ended may be known to the journal alone.
            known = self._documents.get(document_id) or self._journal.read_document(self._kind, document_id)
            if known is None or known.live:
                self._waiting.setdefault(document_id, []).append(future)
                return future
        future.set_result(known)
        return future
