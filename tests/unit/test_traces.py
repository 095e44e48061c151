"""The place of a span in its trace, and the requester that carries it."""

import pytest

from ska_oso_oet.model import Requester
from ska_oso_oet.traces import TraceParent, enter, of_procedure

TEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_traceparent_is_read_and_written() -> None:
    read = TraceParent.read(TEXT)
    assert read == (0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, True)
    assert str(read) == TEXT
    unsampled = TEXT.removesuffix("01") + "00"
    assert str(TraceParent.read(unsampled)) == unsampled


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        TEXT.upper(),
        TEXT + "-more",
        f"ff{TEXT[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_what_is_not_valid_is_ignored(text: str | None) -> None:
    assert TraceParent.read(text) is None


def test_a_span_below_another_is_of_the_same_trace() -> None:
    parent = TraceParent.root()
    child = parent.child()
    assert (child.trace_id, child.sampled) == (parent.trace_id, parent.sampled)
    assert child.span_id != parent.span_id


def test_the_span_of_a_procedure_follows_from_its_request() -> None:
    request = TraceParent.root()
    assert of_procedure(request, 7) == of_procedure(request, 7)
    spans = {of_procedure(request, 7), of_procedure(request, 8), of_procedure(request.child(), 7), request}
    assert len({span.span_id for span in spans}) == 4


def test_without_export_a_request_belongs_to_what_has_caused_it() -> None:
    parent = TraceParent.read(TEXT)
    entered = enter(parent)
    assert entered is not None
    assert entered.place == parent
    assert enter(None) is None


def test_a_requester_without_a_trace_does_not_name_one() -> None:
    assert "traceparent" not in Requester(user="anna").model_dump()
    assert Requester(user="anna", traceparent=TEXT).model_dump()["traceparent"] == TEXT
