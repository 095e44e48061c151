"""The place of a span in its trace, as the recommendation "Trace Context" of the W3C has it (traceparent)."""

import hashlib
import re
import secrets
from typing import NamedTuple, Self

_TRACE_BYTES, _SPAN_BYTES = 16, 8

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)

_SAMPLED = 1


class TraceParent(NamedTuple):
    """Context of a span, for the spans that it causes.

    :param trace_id: number of its trace, of 128 bits
    :param span_id: its number, of 64 bits
    :param sampled: whether the spans of its trace are exported
    """

    trace_id: int
    span_id: int
    sampled: bool = True

    @classmethod
    def root(cls) -> Self:
        """Return the first span of a new trace."""
        return cls(_number(_TRACE_BYTES), _number(_SPAN_BYTES))

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Return the span that a ``traceparent`` names; None if it is not valid, as the W3C demands.

        :param text: e.g. 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
        """
        match = _TRACEPARENT.fullmatch(text or "")
        if match is None:
            return None
        return cls(int(match["trace"], 16), int(match["span"], 16), bool(int(match["flags"], 16) & _SAMPLED))

    def child(self) -> Self:
        """Return a new span of the same trace."""
        return self._replace(span_id=_number(_SPAN_BYTES))

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{_SAMPLED if self.sampled else 0:02x}"


def of_procedure(request: TraceParent, procedure_id: int) -> TraceParent:
    """Return the span of a procedure.

    It follows from the request that has created the procedure: the script has to know it from its
    beginning, and another server may have to export it, if this one ends before.

    :param request: the span of that request
    :param procedure_id: ID of the procedure
    """
    digest = hashlib.sha256(f"{request} {procedure_id}".encode()).digest()
    # None may be 0.
    return request._replace(span_id=int.from_bytes(digest[:_SPAN_BYTES]) or 1)


def _number(size: int) -> int:
    return int.from_bytes(secrets.token_bytes(size)) or 1
