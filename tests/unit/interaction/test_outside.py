"""The functions for authors, outside of the OET."""

import asyncio
import io
import os
from collections.abc import Iterator

import pytest

from ska_oso_oet.interaction import ask, ask_async, checkpoint, checkpoint_async, context


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.FileIO]:
    """What is written to this is typed on standard input."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stdin, open(writing, "wb", buffering=0) as typed:
        monkeypatch.setattr("sys.stdin", stdin)
        yield typed


def test_a_checkpoint_does_nothing() -> None:
    checkpoint("scan 2 of 5")
    checkpoint()
    asyncio.run(checkpoint_async("scan 2 of 5"))


def test_a_question_is_asked_on_the_terminal_until_an_answer_fits(
    keyboard: io.FileIO, capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard.write(b"maybe\n90\n20\nyes\n")
    assert ask("Elevation?", type=float, unit="deg", maximum=85) == 20.0
    assert ask("Stowed?", choices=["yes", "no"]) == "yes"
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Elevation?\n(give a number in deg, at most 85) " in shown.err
    assert "90.0 is not an answer to 'Elevation?'" in shown.err


def test_nothing_typed_is_the_default(keyboard: io.FileIO) -> None:
    keyboard.write(b"\n")
    assert ask("Scans?", type=int, default=3) == 3


def test_the_default_is_the_answer_when_the_time_is_up(keyboard: io.FileIO) -> None:
    assert ask("Scans?", type=int, default=3, timeout=0.05) == 3
    with pytest.raises(TimeoutError, match=r"nobody has answered 'Scans\?' within 0.05 s"):
        ask("Scans?", timeout=0.05)


def test_without_a_terminal_nobody_can_answer(keyboard: io.FileIO) -> None:
    keyboard.close()
    with pytest.raises(RuntimeError, match="standard input is at its end"):
        ask("Scans?")
    assert ask("Scans?", type=int, default=3) == 3


def test_a_coroutine_asks_on_the_terminal_too(keyboard: io.FileIO) -> None:
    keyboard.write(b"y\n")
    assert asyncio.run(ask_async("Go on?", type=bool)) is True


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValueError, match="str, int, float or bool"):
        ask("When?", type=list)
    with pytest.raises(ValueError, match="the choice 1 is not an answer"):
        ask("Which?", choices=[1, "b"])


def test_the_context_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OET_WAIT_FOR_QA_READY", "true")
    assert dict(context) == {"wait_for_qa_ready": True}
    monkeypatch.delenv("OET_WAIT_FOR_QA_READY")
    assert context["wait_for_qa_ready"] is False
    assert (len(context), "weather" in context) == (1, False)
