"""Checksums of the journal's rows: CRC-32 (ISO 3309, as in `zlib`), over all columns of a row.

They find bytes that a disk, a memory or an editor has changed. They are not a protection from forgery.
"""

import zlib

from .protocol import Document, JournalEvent

# Bytes that are not text are read as halves of surrogate pairs, and become the same bytes here.
_ERRORS_OF_READING = "surrogateescape"
_CRC_BITS = 0xFFFFFFFF


def of_event(event: JournalEvent, errors: str = "strict") -> int:
    """Return the checksum of an event.

    :param event: the event
    :param errors: how to encode halves of surrogate pairs; see `str.encode`
    :raises UnicodeEncodeError: if there are such, and `errors` does not allow them
    """
    start = zlib.crc32(event.topic.encode("utf-8", errors), event.seq & _CRC_BITS)
    return zlib.crc32(event.text.encode("utf-8", errors), start)


def of_document(document: Document, errors: str = "strict") -> int:
    """Return the checksum of a document.

    :param document: the document
    :param errors: how to encode halves of surrogate pairs; see `str.encode`
    :raises UnicodeEncodeError: if there are such, and `errors` does not allow them
    """
    start = zlib.crc32(document.kind.encode("utf-8", errors), (document.id << 1 | document.live) & _CRC_BITS)
    return zlib.crc32(document.text.encode("utf-8", errors), start)


def fits_event(event: JournalEvent, checksum: int) -> bool:
    """Whether an event that was read is the one that was written with this checksum."""
    return of_event(event, _ERRORS_OF_READING) == checksum


def fits_document(document: Document, checksum: int) -> bool:
    """Whether a document that was read is the one that was written with this checksum."""
    return of_document(document, _ERRORS_OF_READING) == checksum
