"""Questions of a script that is followed: asked on the terminal, in a thread of its own."""

import os
import select
import sys
import threading
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from ska_oso_oet.model import AnswerError, Event, Question

from .errors import CommandError
from .session import Session
from .talk_calls import print_question, send_answer

_ASKED = "procedure.question.asked"
_TOPICS = "procedure.question."


class QuestionPrompt:
    """Asks questions on the terminal, rings its bell, and sends the answers.

    Without a terminal it does nothing. If another user answers first, it stops waiting.

    :param session: with the service that runs the script
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rings = session.output.terminal and not session.output.as_json
        self._asks = self._rings and sys.stdin.isatty()
        self._questions: dict[int, Question] = {}
        self._asking: tuple[Question, threading.Thread, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask no more."""
        self._questions.clear()
        self._stop_asking()

    def show(self, event: Event) -> None:
        """Ask a question that an event is about, or take note that it has ended."""
        if not self._rings or not event.topic.startswith(_TOPICS):
            return
        try:
            question = Question.model_validate(event.fields.get("question"))
        except ValidationError:
            return  # of another version of the OET
        if event.topic == _ASKED:
            self._questions[question.id] = question
            sys.stdout.write("\a")
            sys.stdout.flush()
        else:
            self._questions.pop(question.id, None)
            if self._asking is not None and self._asking[0].id == question.id:
                self._stop_asking()
                self._session.output.note(f"Question {question.id} {question.outcome()}")
        self._ask_next()

    def _ask_next(self) -> None:
        if self._asking is not None or not self._questions:
            return
        question = next(iter(self._questions.values()))
        print_question(self._session.output, question)
        if self._asks:
            reading, writing = os.pipe()
            thread = threading.Thread(target=self._ask, args=(question, reading), daemon=True)
            self._asking = question, thread, writing
            thread.start()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            _, thread, writing = self._asking
            self._asking = None
            os.close(writing)
            thread.join()

    def _ask(self, question: Question, cancelled: int) -> None:
        """Read answers from the terminal until one is accepted, or the question is closed."""
        try:
            while (line := _read_line(cancelled)) is not None:
                try:
                    send_answer(self._session, question.id, question.read(line))
                except (AnswerError, CommandError) as error:
                    self._session.output.note(str(error))
                else:
                    return
        finally:
            os.close(cancelled)


def _read_line(cancelled: int) -> str | None:
    """Return a line from the terminal, None at the end of the input, or when a pipe is closed."""
    terminal = sys.stdin.fileno()
    line = b""
    while not line.endswith(b"\n"):
        ready = select.select([terminal, cancelled], [], [])[0]
        if cancelled in ready:
            return None
        byte = os.read(terminal, 1)
        if not byte:
            return None
        line += byte
    return line.decode(errors="replace")
