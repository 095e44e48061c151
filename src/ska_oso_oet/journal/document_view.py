"""View of the newest documents of one kind, in memory: clients see only what is in the journal."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol

from ska_oso_oet.mptools.futures import irrevocable_future

from .protocol import Batch, Document, Journal, JournalUnavailableError


class BatchSource(Protocol):
    """A source of committed batches: the event bus."""

    journal: Journal
    """Where the batches are kept."""

    def subscribe(self, subscriber: Callable[[Batch], None], *, last: bool = False) -> None:
        """Subscribe a function to every batch; with `last`, it is called after all other functions."""


class DocumentView:
    """All live documents of a kind, and the newest of those that have ended.

    The thread of the bus writes, after each commit; any thread may read.

    :param bus: where documents come from
    :param kind: the kind to show
    :param ended_limit: how many ended ones to keep at hand; older ones are read from the journal
    :param read: makes the value of a document that comes from a storage, from its text
    """

    def __init__(
        self, bus: BatchSource, kind: str, ended_limit: int, read: Callable[[str], Any] = str
    ) -> None:
        self._journal = bus.journal
        self._kind = kind
        self._ended_limit = ended_limit
        self._read = read
        self._lock = threading.Lock()
        self._documents: dict[int, Document] = {}
        self._ordered: tuple[Document, ...] | None = None  # None after a change
        self._waiting: dict[int, list[Future[Document]]] = {}
        self._done: list[tuple[Future[Document], Document]] = []
        bus.subscribe(self._on_batch)
        bus.subscribe(self._conclude, last=True)
        # The owner of this view recalls them when the journal can be read.
        with suppress(JournalUnavailableError):
            self.recall()

    def recall(self) -> None:
        """Show the earlier documents of the journal, too. Does not wait for the bus.

        :raises JournalUnavailableError: if the journal cannot be read at present
        """
        newest = self._journal.newest_documents(self._kind, self._ended_limit)
        self._keep([*self.live_in_journal(), *self._with_values(newest)], only_unknown=True)
        self._conclude()

    def older(self, before: int | None, limit: int) -> tuple[list[Document], int | None]:
        """Return documents from the journal, newest first, and the ID before which to read on.

        :param before: only documents with a smaller ID than this; None for the newest
        :param limit: how many to read; fewer are returned where some cannot be read
        :returns: the documents, and None in place of the ID if there are no more
        :raises JournalUnavailableError: if the journal cannot be read at present
        """
        found = self._journal.newest_documents(self._kind, limit, before)
        end = found[0].id if len(found) == limit else None
        return self._with_values(reversed(found)), end

    def live_in_journal(self) -> list[Document]:
        """Return the documents that are live in the journal, ordered by ID.

        :raises JournalUnavailableError: if the journal cannot be read at present
        """
        return self._with_values(self._journal.live_documents(self._kind))

    def _with_values(self, documents: Iterable[Document]) -> list[Document]:
        """Return documents with their values, without those whose text cannot be read."""
        return [valued for document in documents if (valued := self._with_value(document)) is not None]

    def _with_value(self, document: Document) -> Document | None:
        if document.value is not None:
            return document
        try:
            return document._replace(value=self._read(document.text))
        except ValueError as error:
            self._journal.damaged.add(self._kind, document.id, error)
            return None

    def _on_batch(self, batch: Batch) -> None:
        if not batch.documents:
            return
        if mine := [document for document in batch.documents if document.kind == self._kind]:
            self._keep(mine)

    def _keep(self, documents: list[Document], *, only_unknown: bool = False) -> None:
        with self._lock:
            self._ordered = None
            for document in documents:
                if only_unknown and document.id in self._documents:
                    continue
                self._documents[document.id] = document
                if not document.live:
                    self._done += [(future, document) for future in self._waiting.pop(document.id, [])]
            if all(document.live for document in documents):
                return
            ended = sorted(document.id for document in self._documents.values() if not document.live)
            for document_id in ended[: max(0, len(ended) - self._ended_limit)]:
                del self._documents[document_id]

    def _conclude(self, _: Batch | None = None) -> None:
        """Set the results of those who wait for ends, after all other subscribers of the bus."""
        if not self._done:
            return
        with self._lock:
            done, self._done = self._done, []
        for future, document in done:
            future.set_result(document)

    def all(self) -> tuple[Document, ...]:
        """Return the documents, ordered by ID: the same object until there is a change."""
        with self._lock:
            if self._ordered is None:
                self._ordered = tuple(
                    [self._documents[document_id] for document_id in sorted(self._documents)]
                )
            return self._ordered

    def last_id(self) -> int:
        """Return the ID of the newest document, 0 if there is none."""
        with self._lock:
            return max(self._documents, default=0)

    def get(self, document_id: int) -> Document | None:
        """Return a document, also an older one, or None if it is not known or no longer kept."""
        with self._lock:
            document = self._documents.get(document_id)
        return document or self._read_older(document_id)

    def _read_older(self, document_id: int) -> Document | None:
        document = self._journal.read_document(self._kind, document_id)
        return None if document is None else self._with_value(document)

    def ended(self, document_id: int) -> "Future[Document]":
        """Return a future for a document in its final form.

        The thread of the bus sets its result, after all subscribers were called with the end.
        """
        future: Future[Document] = irrevocable_future()
        with self._lock:
            # It may have ended, and been followed by so many that it is no longer at hand. Commits after this
            # read of the journal wait for the lock before they are reported.
            known = self._documents.get(document_id) or self._read_older(document_id)
            if known is None or known.live:
                self._waiting.setdefault(document_id, []).append(future)
                return future
        future.set_result(known)
        return future
