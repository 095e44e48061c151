"""Text of others, as it is shown."""

import traceback

import pytest

from ska_oso_oet.cli.text import exception_message


def stacktrace_of(error: Exception) -> str:
    try:
        raise error
    except Exception:
        return traceback.format_exc()


@pytest.mark.parametrize(
    "message", ["the antenna is stuck", "the antenna\nis stuck\n", "2 errors\n  first\n    more"]
)
def test_the_message_of_an_exception_may_have_several_lines(message: str) -> None:
    shown = exception_message(stacktrace_of(RuntimeError(message)))
    assert shown == f"RuntimeError: {message}".rstrip()


def test_of_chained_exceptions_the_last_one_counts() -> None:
    error = RuntimeError("no")
    error.__cause__ = ValueError("why")
    assert exception_message(stacktrace_of(error)) == "RuntimeError: no"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("the server died while it lived", "the server died while it lived"),
        (
            "The environment could not be built.\nThe tools have said:\nno network",
            "The environment could not be built.",
        ),
        ("", ""),
    ],
)
def test_a_reason_that_is_no_stack_trace_begins_with_a_sentence(text: str, sentence: str) -> None:
    assert exception_message(text) == sentence
