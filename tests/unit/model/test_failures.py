"""The line of a stack trace that says what went wrong."""

import traceback

import pytest

from ska_oso_oet.model import abridged, failure_line

TRACE = """Traceback (most recent call last):
  File "/scripts/observe.py", line 3, in main
    raise RuntimeError("the antenna is stuck")
"""
TANGO = """tango.DevFailed: DevFailed[
DevError[
    desc = the antenna is stuck
  origin = Antenna.Slew
]
]
"""


@pytest.mark.parametrize(
    ("stacktrace", "reason"),
    [
        (TRACE + "RuntimeError: the antenna is stuck\n", "RuntimeError: the antenna is stuck"),
        (TRACE + "KeyError: 1\n\nDuring handling:\n\n" + TRACE + "ValueError: 2\n", "ValueError: 2"),
        (
            TRACE + TANGO,
            "tango.DevFailed: DevFailed[ DevError[ desc = the antenna is stuck origin = Antenna.Slew ] ]",
        ),
        ('  File "a.py", line 1\n    a b\n    ^^^\nSyntaxError: no\n', "SyntaxError: no"),
        ("The branch 'b' is not there.\nfatal: no such thing\n", "The branch 'b' is not there."),
        ("The script's process was ended by SIGKILL.", "The script's process was ended by SIGKILL."),
        (None, "The script failed without saying why."),
        (TRACE, 'raise RuntimeError("the antenna is stuck")'),
    ],
)
def test_the_reason_of_a_failure(stacktrace: str | None, reason: str) -> None:
    assert failure_line(stacktrace) == reason


def test_a_reason_is_not_a_novel() -> None:
    assert len(failure_line(TRACE + "RuntimeError: " + "very " * 10_000 + "stuck")) <= 1000


@pytest.mark.parametrize("message", ["the antenna is stuck", "the antenna\nis stuck\n", "2 errors\n  first"])
def test_the_line_is_found_in_what_python_writes(message: str) -> None:
    try:
        raise RuntimeError(message) from ValueError("why")
    except RuntimeError:
        line = failure_line(traceback.format_exc())
    assert line == f"RuntimeError: {' '.join(message.split())}"


_HEAD = "Traceback (most recent call last):\n"
_FRAME = '  File "script.py", line %d, in step\n    step(%d)\n'


@pytest.mark.parametrize("frames", [1, 500])
@pytest.mark.parametrize("message", [10, 100_000])
@pytest.mark.parametrize("after", ["", "a note\n" * 5_000])
def test_of_a_long_trace_the_telling_parts_are_kept(frames: int, message: int, after: str) -> None:
    calls = "".join(_FRAME % (number, number) for number in range(frames))
    trace = f"{_HEAD}{calls}PointingError: limits {'1.0 ' * message}end\n{after}"
    kept = abridged(trace, 6_000)
    assert len(kept) <= 6_000
    assert kept.startswith(_HEAD + _FRAME % (0, 0))
    assert _FRAME % (frames - 1, frames - 1) + "PointingError: limits 1.0" in kept
    assert kept.endswith(after[-50:] or "end\n")
    assert failure_line(kept).startswith("PointingError: limits 1.0")
    assert ("are left out" in kept) == (len(trace) > 6_000)


def test_of_a_long_text_head_and_tail_are_kept() -> None:
    kept = abridged("begin" + "x" * 10_000 + "end", 1_000)
    assert len(kept) <= 1_000
    assert kept.startswith("beginx")
    assert kept.endswith("xend")
    assert "characters are left out" in kept
