"""Entries of the journal as rows of a database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Select, Table, and_, delete, func, insert, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from ska_oso_oet.model import EVENTS_IN_ANSWER

from .database import Database, EntryRejected, Step, StorageFault, StorageSuspect
from .gaps import Gap
from .migrate import bring_up_to_date
from .numbering import Numbering
from .protocol import Document, JournalEvent, JournalTooNew
from .schema import ANY_KIND, documents, events, gaps, identifiers

# A prefix that more topics than this begin with is looked for event by event.
_MAX_MERGED_TOPICS: Final = 64
_AFTER_ANY_TOPIC: Final = "\U0010ffff"
# Events that are read without knowing how large they are.
_FIRST_PAGE: Final = 100
# An entry of PostgreSQL's index has 2704 bytes at the most, a character up to four.
_INDEXABLE_TOPIC: Final = 600


@dataclass(frozen=True)
class Entries:
    """What one transaction writes.

    :ivar last_ids: the greatest IDs, of the kinds of which they have grown
    """

    events: Sequence[JournalEvent] = ()
    documents: Sequence[Document] = ()
    gaps: Sequence[Gap] = ()
    last_ids: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What must be known of the stored entries before more are appended.

    :ivar first_seq: number of the oldest event, None if there is none
    """

    first_seq: int | None
    numbering: Numbering
    gaps: Sequence[Gap]


def storable(entries: Entries) -> Entries:
    """Replace what a database may refuse: NUL, halves of surrogate pairs, the end of a very long topic.

    The text of an event has its topic whole; the other one is for looking it up.
    """

    def clean(text: str) -> str:
        return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")

    def cut(topic: str) -> str:
        return clean(topic)[:_INDEXABLE_TOPIC]

    return Entries(
        [JournalEvent(seq, cut(topic), clean(text)) for seq, topic, text in entries.events],
        [Document(clean(kind), id_, clean(text), live) for kind, id_, text, live in entries.documents],
        entries.gaps,
        {clean(kind): last_id for kind, last_id in entries.last_ids.items()},
    )


class SqlStorage:
    """Reads and writes entries in a database that is open and has the newest schema.

    One thread at a time may write; any number may read meanwhile.

    :param database: where the tables are
    :raises StorageFault: if it cannot be opened
    :raises JournalTooNew: if its schema is newer than this version of the OET
    :raises StorageLocked: if another server writes to it
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.writer.dialect
        self._insert_event = _compiled(insert(events), dialect)
        self._store_document = _replacing(documents, ("kind", "id"), dialect)
        self._store_gap = _replacing(gaps, ("first",), dialect)
        self._store_last_id = _replacing(identifiers, ("kind",), dialect)
        with self._translated():
            self._writer = database.writer.connect()
        try:
            with self._translated():
                bring_up_to_date(self._writer, database.name)
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the driver raises into what it means."""
        try:
            yield
        except (StorageFault, EntryRejected, JournalTooNew):
            raise
        except Exception as error:
            # Whatever it is: the bus must not lose entries to an exception that nobody has thought of.
            raise self._database.classify(error) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._translated(), self._database.readers.connect() as connection:
            yield connection

    def write(self, entries: Entries) -> None:
        """Write all of it, or nothing, in one transaction.

        :raises StorageFault: if it was not written, or if that is uncertain
        :raises EntryRejected: if one of the values cannot be stored
        """
        rows = [(each.kind, each.id, each.live, each.text) for each in entries.documents]
        steps = (
            Step(self._insert_event, entries.events),
            Step(self._store_document, rows),
            Step(self._store_gap, entries.gaps),
            Step(self._store_last_id, list(entries.last_ids.items())),
        )
        with self._translated():
            self._database.write(self._writer, [step for step in steps if step.rows])

    def facts(self) -> Facts:
        """Read what must be known at the start, each by an index, however much is stored."""
        with self._translated(), self._writer.begin():
            # Asked for together, the two ends would take a walk through the whole table.
            oldest = self._writer.scalar(select(func.min(events.c.seq)))
            newest = self._writer.scalar(select(func.max(events.c.seq))) or 0
            found = [Gap(*row) for row in self._writer.execute(select(gaps).order_by(gaps.c.first))]
            ids = {row.kind: row.last_id for row in self._writer.execute(select(identifiers))}
        floor = ids.pop(ANY_KIND, 0)
        last_seq = max(newest, found[-1].last if found else 0)
        return Facts(oldest, Numbering(last_seq, ids, floor), found)

    def read_events(self, after: int, limit: int, topic: str) -> list[JournalEvent]:
        """Read events with a greater number than `after`, oldest first, `limit` at the most.

        Where they are long, only as many are read as one answer can hold.
        """
        with self._reading() as connection:
            topics = _topics_with_prefix(connection, topic) if topic else []
            if topic and not topics:
                return []
            found: list[JournalEvent] = []
            for page in _pages(limit):
                newer = select(events).where(events.c.seq > (found[-1].seq if found else after))
                query = _of_topics(newer, topics, topic) if topic else newer
                rows = connection.execute(query.order_by("seq").limit(page)).all()
                found += [JournalEvent(*row) for row in rows]
                if len(rows) < page or sum(len(event.text) for event in found) >= EVENTS_IN_ANSWER:
                    break
            return found

    def read_document(self, kind: str, document_id: int) -> Document | None:
        """Return a document, or None if there is none."""
        found = self._documents(documents.c.kind == kind, documents.c.id == document_id)
        return found[0] if found else None

    def newest_documents(self, kind: str, limit: int) -> list[Document]:
        """Return the newest documents of a kind, in no order that may be relied upon."""
        return self._documents(documents.c.kind == kind, limit=limit)

    def live_documents(self, kind: str) -> list[Document]:
        """Return the live documents of a kind, in no order that may be relied upon."""
        return self._documents(documents.c.kind == kind, documents.c.live.is_(True))

    def _documents(self, *conditions: Any, limit: int | None = None) -> list[Document]:
        columns = documents.c
        query = select(columns.kind, columns.id, columns.text, columns.live).where(*conditions)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(columns.id.desc()).limit(limit))
            return [Document(*row) for row in rows]

    def drop_events(self, up_to: int) -> None:
        """Delete the events with numbers up to this one, and the gaps that lie before it."""
        with self._translated(), self._writer.begin():
            self._writer.execute(delete(events).where(events.c.seq <= up_to))
            self._writer.execute(delete(gaps).where(gaps.c.last <= up_to))

    def used_bytes(self) -> int:
        """Return the space that the entries take; see `Database.used_bytes`."""
        with self._translated():
            return self._database.used_bytes()

    def drop_documents(self, kind: str, kept: int, at_most: int) -> int:
        """Delete the oldest ended documents of a kind.

        :param kept: how many of the ended ones to keep
        :param at_most: how many to delete at once
        :returns: ID up to which no ended document is left; 0 if none had to be deleted
        """
        ended = select(documents.c.id).where(documents.c.kind == kind, documents.c.live.is_(False))
        with self._translated(), self._writer.begin():
            bound = self._writer.scalar(ended.order_by(documents.c.id.desc()).offset(kept).limit(1))
            if bound is None:
                return 0
            oldest = ended.where(documents.c.id <= bound).order_by(documents.c.id).limit(at_most)
            ids = list(self._writer.scalars(oldest))
            self._writer.execute(delete(documents).where(documents.c.kind == kind, documents.c.id.in_(ids)))
            return int(ids[-1])

    def check(self) -> None:
        """Make sure that the database is the one that was opened.

        :raises StorageDamaged: if it is not, or is damaged
        """
        with self._translated():
            self._database.verify()

    def tidy(self) -> bool:
        """Tidy up as far as that keeps nobody waiting, and return whether `compact` should be called."""
        with self._translated():
            return self._database.tidy()

    def compact(self) -> None:
        """Bound the space that the database takes. Counts as writing."""
        with self._translated():
            self._database.compact()

    def refuse_if_suspect(self) -> None:
        """Make sure, quickly, that nobody seems to have changed the database from outside.

        :raises StorageSuspect: if somebody does
        """
        if self._database.is_suspect():
            raise StorageSuspect(f"{self._database.name} was changed by another program and is being checked")

    def close(self) -> None:
        """Close all connections."""
        try:
            with self._translated():
                self._writer.close()
        except (StorageFault, EntryRejected):
            # What could be written has been; a connection that can't be ended in order is dropped.
            self._writer.invalidate()
        self._database.dispose()


def _compiled(statement: Any, dialect: Dialect) -> str:
    """Return a statement as the driver takes it; its parameters are the values of the columns, in order.

    What is written every day goes to the driver as the tuples that it is: through Core, making dictionaries
    of them and processing those takes longer than the database itself.
    """
    positional: Any = type(dialect)
    style = "qmark" if dialect.name == "sqlite" else "format"
    return str(statement.compile(dialect=positional(paramstyle=style)))


def _replacing(table: Table, key: Sequence[str], dialect: Dialect) -> str:
    """Return the statement that stores a row in place of the one with the same key."""
    inserted = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
    new = {column.name: inserted.excluded[column.name] for column in table.columns if column.name not in key}
    return _compiled(inserted.on_conflict_do_update(index_elements=key, set_=new), dialect)


def _pages(limit: int) -> Iterator[int]:
    """Divide a number of events into pages: they become larger as long as it shows that events are small."""
    page = _FIRST_PAGE
    while limit > 0:
        yield min(page, limit)
        limit -= page
        page *= 4


def _topics_with_prefix(connection: Connection, prefix: str) -> list[str]:
    """Return the topics that events have and that begin so, by stepping from one to the next in the index."""
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
    return list(connection.scalars(query))


def _of_topics(newer: Select[Any], topics: Sequence[str], prefix: str) -> Any:
    """Restrict a query to topics: the database merges one range of the index for each of them."""
    if len(topics) > _MAX_MERGED_TOPICS:
        return newer.where(func.substr(events.c.topic, 1, len(prefix)) == prefix)
    if len(topics) == 1:
        return newer.where(events.c.topic == topics[0])
    return union_all(*(newer.where(events.c.topic == topic) for topic in topics))
