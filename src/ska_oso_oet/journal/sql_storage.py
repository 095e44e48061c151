"""Storage of the entries of the journal as rows of a database."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Dialect,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    union_all,
    update,
)

from ska_oso_oet.model import EVENTS_IN_ANSWER

from . import checksums
from .backend import (
    Backend,
    EntryRejectedError,
    StorageChangedError,
    StorageDamagedError,
    StorageError,
    WriteStatement,
)
from .damage import SET_ASIDE, StoredDocument, StoredEvent
from .entries import Entries, MissingRange
from .high_water_marks import GREATEST_ID, GREATEST_SEQ, LastNumbers
from .protocol import Document, JournalEvent, JournalTooNewError
from .schema import ANY_KIND, bring_up_to_date, documents, events, identifiers, missing_ranges

# A prefix of more topics than this is looked for event by event.
_MAX_MERGED_TOPICS: Final = 64
_AFTER_ANY_TOPIC: Final = "\U0010ffff"
# Number of events that are read without knowing how large they are.
_FIRST_PAGE: Final = 100


@dataclass(frozen=True)
class StorageSummary:
    """Numbers of the stored entries, which must be known before others are appended.

    :ivar first_seq: number of the oldest event, None if there is none
    :ivar last_numbers: the greatest numbers assigned, as far as the storage knows
    :ivar missing: ranges of events that are missing
    """

    first_seq: int | None
    last_numbers: LastNumbers
    missing: Sequence[MissingRange]


class _Translated:
    """Context that translates exceptions of the driver into those of the journal.

    Not a generator: each transaction of the bus needs one, and this takes a third of the time.

    :param backend: names the fault of an exception
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StorageError | EntryRejectedError | JournalTooNewError):
            return
        # Any exception: the bus must not lose entries by one that was not expected.
        if isinstance(error, Exception):
            raise self._backend.classify(error) from error


class SqlStorage:
    """Reads and writes entries in a database that is open and has the newest schema.

    One thread at a time may write; any number may read meanwhile.

    :param backend: the database with the tables
    :raises StorageError: if it cannot be opened
    :raises JournalTooNewError: if its schema is newer than this version of the OET
    :raises StorageLockedError: if another server writes to it
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._translated = _Translated(backend)
        dialect = backend.writer.dialect
        self._insert_event = _compiled(insert(events), dialect)
        self._store_document = _replacing(documents, ("kind", "id"), dialect)
        self._store_gap = _replacing(missing_ranges, ("first",), dialect)
        self._store_last_id = _replacing(identifiers, ("kind",), dialect)
        with self._found_at_opening():
            self._writer = backend.writer.connect()
        try:
            with self._found_at_opening():
                bring_up_to_date(self._writer, backend.name)
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def _found_at_opening(self) -> Iterator[None]:
        """Translate as `_translated` does: what was found, and cannot be read, is damage."""
        try:
            with self._translated:
                yield
        except EntryRejectedError as error:
            raise StorageDamagedError(f"{self._backend.name} is damaged: {error}") from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._translated, self._backend.readers.connect() as connection:
            yield connection

    def write(self, entries: Entries) -> None:
        """Write all entries, or none, in one transaction.

        :raises StorageError: if they were not written, or if that is uncertain
        :raises EntryRejectedError: if one of the values cannot be stored
        """
        with self._translated:
            event_rows = [(*each, checksums.of_event(each)) for each in entries.events]
            document_rows = [
                (each.kind, each.id, each.live, each.text, checksums.of_document(each))
                for each in entries.documents
            ]
            steps = (
                WriteStatement(self._insert_event, event_rows),
                WriteStatement(self._store_document, document_rows),
                WriteStatement(self._store_gap, entries.missing),
                WriteStatement(self._store_last_id, list(entries.last_ids.items())),
            )
            self._backend.write(self._writer, [step for step in steps if step.rows])

    def summary(self) -> StorageSummary:
        """Read what must be known at the start, by indexes: it is quick for any number of entries."""
        with self._found_at_opening(), self._writer.begin():
            # An event with a number that was never assigned is damaged.
            possible = events.c.seq.between(1, GREATEST_SEQ)
            # One query for both ends would read the whole table.
            oldest = self._writer.scalar(select(func.min(events.c.seq)).where(possible))
            newest = self._writer.scalar(select(func.max(events.c.seq)).where(possible)) or 0
            found = [
                MissingRange(*row)
                for row in self._writer.execute(select(missing_ranges).order_by(missing_ranges.c.first))
            ]
            ids = {row.kind: row.last_id for row in self._writer.execute(select(identifiers))}
        for missing in found:
            self._require_numbers(missing, GREATEST_SEQ, "of missing events")
        self._require_numbers(ids.values(), GREATEST_ID, "of procedures, activities or entries")
        floor = ids.pop(ANY_KIND, 0)
        last_seq = max(newest, found[-1].last if found else 0)
        return StorageSummary(oldest, LastNumbers(last_seq, ids, floor), found)

    def _require_numbers(self, numbers: Iterable[object], greatest: int, what: str) -> None:
        """Check numbers that decide with which ones to continue.

        :raises StorageDamagedError: if one cannot have been written
        """
        for number in numbers:
            if not isinstance(number, int) or not 0 <= number <= greatest:
                raise StorageDamagedError(f"{self._backend.name} is damaged: a number {what} is {number!r}")

    def read_events(self, after: int, limit: int, topic: str) -> list[StoredEvent]:
        """Read events with a greater number than `after`, oldest first, at most `limit`.

        Of long events only as many are read as one answer can hold.
        """
        with self._reading() as connection:
            topics = _topics_with_prefix(connection, topic) if topic and _is_text(topic) else []
            if topic and not topics:
                return []
            found: list[StoredEvent] = []
            for page in _pages(limit):
                newer = select(events).where(events.c.seq > (found[-1].event.seq if found else after))
                query = _of_topics(newer, topics, topic) if topic else newer
                rows = connection.execute(query.order_by("seq").limit(page)).all()
                found += [StoredEvent(JournalEvent(*columns), checksum) for *columns, checksum in rows]
                if len(rows) < page or sum(map(_length, found)) >= EVENTS_IN_ANSWER:
                    break
            return found

    def read_document(self, kind: str, document_id: int) -> StoredDocument | None:
        """Return a document, or None if there is none."""
        found = self._documents(documents.c.kind == kind, documents.c.id == document_id)
        return found[0] if found else None

    def newest_documents(self, kind: str, limit: int, before: int | None = None) -> list[StoredDocument]:
        """Return the newest documents of a kind, in no particular order; with `before`, of those older."""
        older = [] if before is None else [documents.c.id < before]
        return self._documents(documents.c.kind == kind, *older, limit=limit)

    def live_documents(self, kind: str) -> list[StoredDocument]:
        """Return the live documents of a kind, in no particular order."""
        return self._documents(documents.c.kind == kind, documents.c.live.is_(True))

    def _documents(self, *conditions: Any, limit: int | None = None) -> list[StoredDocument]:
        columns = documents.c
        query = select(columns.kind, columns.id, columns.text, columns.live, columns.checksum).where(
            *conditions
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(columns.id.desc()).limit(limit))
            return [StoredDocument(Document(*values), checksum) for *values, checksum in rows]

    def drop_events(self, up_to: int) -> None:
        """Delete the events with numbers up to this one, and the missing ranges before it."""
        with self._translated, self._writer.begin():
            self._writer.execute(delete(events).where(events.c.seq <= up_to))
            self._writer.execute(delete(missing_ranges).where(missing_ranges.c.last <= up_to))

    def used_bytes(self) -> int:
        """Return the space that the entries take; see `Backend.used_bytes`."""
        with self._translated:
            return self._backend.used_bytes()

    def drop_documents(self, kind: str, kept: int, at_most: int) -> int:
        """Delete the oldest ended documents of a kind.

        :param kept: how many of the ended ones to keep
        :param at_most: how many to delete at most
        :returns: ID up to which no ended document is left; 0 if none had to be deleted
        """
        ended = select(documents.c.id).where(documents.c.kind == kind, documents.c.live.is_(False))
        with self._translated, self._writer.begin():
            bound = self._writer.scalar(ended.order_by(documents.c.id.desc()).offset(kept).limit(1))
            if bound is None:
                return 0
            oldest = ended.where(documents.c.id <= bound).order_by(documents.c.id).limit(at_most)
            ids = list(self._writer.scalars(oldest))
            self._writer.execute(delete(documents).where(documents.c.kind == kind, documents.c.id.in_(ids)))
            return int(ids[-1])

    def set_aside(self, kind: str, ids: Collection[int]) -> None:
        """Give documents a kind of damaged ones; their other columns stay as they are."""
        target = SET_ASIDE + kind
        columns = documents.c
        with self._translated, self._writer.begin():
            self._writer.execute(delete(documents).where(columns.kind == target, columns.id.in_(ids)))
            own = update(documents).where(columns.kind == kind, columns.id.in_(ids))
            self._writer.execute(own.values(kind=target))

    def verify(self) -> None:
        """Check the database completely.

        :raises StorageDamagedError: if it is damaged, or not the one that was opened
        """
        with self._translated:
            self._backend.verify()

    def checkpoint(self) -> bool:
        """Do the maintenance that delays no other thread, and return whether `compact` should be called."""
        with self._translated:
            return self._backend.checkpoint()

    def compact(self) -> None:
        """Reduce the space that the database takes; only while no thread writes."""
        with self._translated:
            self._backend.compact()

    def check_unchanged(self) -> None:
        """Check, quickly, that no other program has changed the database.

        :raises StorageChangedError: if one may have
        """
        if self._backend.may_have_changed():
            raise StorageChangedError(
                f"{self._backend.name} was changed by another program and is being verified"
            )

    def close(self) -> None:
        """Close all connections."""
        try:
            with self._translated:
                self._writer.close()
        except (StorageError, EntryRejectedError):
            # Everything is committed; a connection that cannot be closed properly is dropped.
            self._writer.invalidate()
        self._backend.dispose()


def _compiled(statement: Any, dialect: Dialect) -> str:
    """Return a statement in the driver's form; its parameters are the values of the columns, in order.

    Rows go to the driver as tuples: SQLAlchemy Core would make dictionaries of them and process those, which
    takes longer than the database itself.
    """
    positional: Any = type(dialect)
    style = "qmark" if dialect.name == "sqlite" else "format"
    return str(statement.compile(dialect=positional(paramstyle=style)))


def _replacing(table: Table, key: Sequence[str], dialect: Dialect) -> str:
    """Return the statement that stores a row in place of the one with the same key."""
    # Only the one in use: each takes a twentieth of a second to import.
    inserted = import_module(f"sqlalchemy.dialects.{dialect.name}").insert(table)
    new = {column.name: inserted.excluded[column.name] for column in table.columns if column.name not in key}
    return _compiled(inserted.on_conflict_do_update(index_elements=key, set_=new), dialect)


def _length(stored: StoredEvent) -> int:
    """Return the length of the text of an event; of a damaged row it may be any value."""
    text: object = stored.event.text
    return len(text) if isinstance(text, str) else 0


def _pages(limit: int) -> Iterator[int]:
    """Divide a number of events into pages; they become larger, as long as events prove to be small."""
    page = _FIRST_PAGE
    while limit > 0:
        yield min(page, limit)
        limit -= page
        page *= 4


def _topics_with_prefix(connection: Connection, prefix: str) -> list[str]:
    """Return the topics of events that have a prefix, by stepping from one to the next in the index."""
    within = and_(events.c.topic >= prefix, events.c.topic < prefix + _AFTER_ANY_TOPIC)
    first = select(
        select(events.c.topic)
        .where(within)
        .order_by(events.c.topic)
        .limit(1)
        .scalar_subquery()
        .label("topic")
    )
    found = first.cte("found", recursive=True)
    further = and_(events.c.topic > found.c.topic, events.c.topic < prefix + _AFTER_ANY_TOPIC)
    step = select(events.c.topic).where(further).order_by(events.c.topic).limit(1).scalar_subquery()
    found = found.union_all(select(step).where(found.c.topic.is_not(None)))
    query = select(found.c.topic).where(found.c.topic.is_not(None)).limit(_MAX_MERGED_TOPICS + 1)
    # The topic of a damaged row may not be text: no query can match it.
    return [topic for topic in connection.scalars(query) if _is_text(topic)]


def _is_text(value: object) -> bool:
    """Return whether a value can be looked for in a database."""
    try:
        return isinstance(value, str) and bool(value.encode())
    except UnicodeEncodeError:
        return False


def _of_topics(newer: Select[Any], topics: Sequence[str], prefix: str) -> Any:
    """Restrict a query to topics: the database merges one range of the index for each topic."""
    if len(topics) > _MAX_MERGED_TOPICS:
        return newer.where(func.substr(events.c.topic, 1, len(prefix)) == prefix)
    if len(topics) == 1:
        return newer.where(events.c.topic == topics[0])
    return union_all(*(newer.where(events.c.topic == topic) for topic in topics))
