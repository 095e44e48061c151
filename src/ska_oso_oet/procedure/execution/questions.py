"""Questions of scripts that wait for an answer. Belongs to the message loop."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ska_oso_oet.model import Answerable, Question, QuestionRequest, QuestionState, Requester

from ..domain.errors import QuestionClosedError
from ..worker.messages import ToWorker
from .observer import ProcedureObserver
from .procedure import Procedure

_LIMIT = 100
"""How many questions of one script may wait."""


class _Open(NamedTuple):
    """A question that waits for an answer.

    :param question: the question
    :param procedure: whose script asks
    :param number: number of the question in the process of the script
    :param timer: ends the wait; None if it has no end
    """

    question: Question
    procedure: Procedure
    number: int
    timer: asyncio.TimerHandle | None


class OpenQuestions:
    """Questions that wait for an answer, in the order in which they were asked.

    :param observer: called with every change
    :param first_id: ID of the first question
    """

    def __init__(self, observer: ProcedureObserver, first_id: int) -> None:
        self._observer = observer
        self._next_id = first_id
        self._open: dict[int, _Open] = {}

    def ask(self, procedure: Procedure, number: int, request: Mapping[str, Any]) -> None:
        """A script asks.

        :param procedure: its procedure
        :param number: number of the question in the script's process
        :param request: the question
        """
        if len(self._of(procedure)) >= _LIMIT:
            refusal = f"{_LIMIT} questions of this script wait for an answer: it cannot ask more"
            procedure.send(ToWorker.ANSWER, {"number": number, "refusal": refusal})
            return
        asked = QuestionRequest.model_validate(request)
        now = time.time()
        question = Question(
            **asked.model_dump(),
            id=self._next_id,
            procedure_id=procedure.id,
            asked=now,
            deadline=None if asked.timeout is None else now + asked.timeout,
        )
        self._next_id += 1
        # The time of a person does not count.
        procedure.stop_init_timer()
        timer = None
        if asked.timeout is not None:
            timer = asyncio.get_running_loop().call_later(asked.timeout, self._expire, question.id)
        self._open[question.id] = _Open(question, procedure, number, timer)
        self._observer.question_changed(question)

    def answer(self, question_id: int, answer: Any, by: Requester | None) -> None:
        """Answer a question.

        :param question_id: the question
        :param answer: the answer, as JSON
        :param by: who answers
        :raises QuestionClosedError: if it does not wait for an answer
        :raises AnswerError: if the answer does not fit
        """
        if (asked := self._open.get(question_id)) is None:
            raise QuestionClosedError(f"question {question_id} does not wait for an answer")
        self._close(asked, QuestionState.ANSWERED, asked.question.check(answer), by)

    def _expire(self, question_id: int) -> None:
        asked = self._open[question_id]
        self._close(asked, QuestionState.EXPIRED, asked.question.default)

    def withdraw(self, procedure: Procedure, number: int | None = None) -> None:
        """A script no longer waits for an answer.

        :param procedure: its procedure
        :param number: number of the question in its process; None for all
        """
        for asked in self._of(procedure):
            if number is None or asked.number == number:
                self._close(asked, QuestionState.WITHDRAWN)

    def _of(self, procedure: Procedure) -> list[_Open]:
        return [asked for asked in self._open.values() if asked.procedure is procedure]

    def _close(
        self,
        asked: _Open,
        state: QuestionState,
        answer: Answerable | None = None,
        by: Requester | None = None,
    ) -> None:
        del self._open[asked.question.id]
        if asked.timer is not None:
            asked.timer.cancel()
        if state is not QuestionState.WITHDRAWN:
            asked.procedure.send(ToWorker.ANSWER, {"number": asked.number, "answer": answer})
        self._observer.question_changed(asked.question.entering(state, time.time(), answer, by))
