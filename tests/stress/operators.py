"""Operators: each creates one procedure after the other, and does something at a random moment."""

import logging
import os
import random
import signal
import threading
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress

from tests.support.leftovers import guardian

from ska_oso_oet.model import AnswerRequest, CheckpointRequest
from ska_oso_oet.mptools import posix
from ska_oso_oet.procedure.application import (
    PrepareProcessCommand,
    ScriptExecutionService,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ProcedureInput,
    ProcedureNotFoundError,
    QuestionClosedError,
    StateForbidsError,
)

from .kinds import KINDS

LOGGER = logging.getLogger(__name__)

_ATTEMPTS = 4
"""How many times an operator tries to start a procedure while another one runs."""

_PATIENCE = 20.0
"""Seconds in which a procedure that has been stopped must end."""


class Operator:
    """Runs procedures, each to its end. What it does follows from a seed.

    :param service: what to run them with
    :param seed: decides what is done
    """

    def __init__(self, service: ScriptExecutionService, seed: str) -> None:
        self._service = service
        self._random = random.Random(seed)

    def run_one(self) -> str | None:
        """Run a procedure of a random kind in a random way.

        :returns: what went wrong, None if nothing did
        """
        kind = self._random.choice(list(KINDS))
        command = PrepareProcessCommand(EmbeddedStringScript(KINDS[kind]), ProcedureInput())
        procedure_id = self._service.prepare(command).id
        self._begin(procedure_id)
        if self._random.random() < 0.1:
            _kill_any_worker(self._random)
        for _ in range(self._random.choice((0, 0, 1, 5))):
            self._talk(procedure_id)
        if not self._ends_within(procedure_id, self._random.choice((0, 0.005, 0.05, 0.2, 0.5))):
            self._stop(procedure_id)
        if not self._ends_within(procedure_id, _PATIENCE):
            return f"procedure {procedure_id}, which {kind}, does not end"
        return None

    def _begin(self, procedure_id: int) -> None:
        """Start a procedure: never, as soon as it is READY, or at a moment when it may not be."""
        choice = self._random.random()
        if choice < 0.1:
            return
        if choice < 0.3:
            self._ends_within(procedure_id, self._random.uniform(0, 0.05))
        start = StartProcessCommand(procedure_id, "main", ProcedureInput(), force_start=choice > 0.3)
        for _ in range(_ATTEMPTS):
            try:
                self._service.start(start)
                return
            except StateForbidsError:  # another one runs, or this one has ended
                if self._ends_within(procedure_id, self._random.uniform(0, 0.1)):
                    return

    def _talk(self, procedure_id: int) -> None:
        """Pause, step or resume a procedure, or answer whatever question waits."""
        operator, request = self._service.operator, CheckpointRequest(pid=procedure_id)
        # It may not run yet or any more, and somebody else may have answered.
        with suppress(StateForbidsError, ProcedureNotFoundError, QuestionClosedError):
            choice = self._random.random()
            if choice < 0.6:
                self._random.choice((operator.pause, operator.step, operator.resume))(request)
            elif (question := operator.question) is not None:
                operator.answer(AnswerRequest(question=question.id, answer="yes"))
        self._ends_within(procedure_id, self._random.choice((0, 0, 0.01)))

    def _stop(self, procedure_id: int) -> None:
        """Stop a procedure, once or several times, with abort or without; in the end at once."""
        times = self._random.choice((1, 1, 1, 2, 3))
        for left in reversed(range(times)):
            with suppress(StateForbidsError, ProcedureNotFoundError):  # it may have ended by itself
                self._service.request_stop(
                    StopProcessCommand(
                        procedure_id,
                        run_abort=self._random.random() < 0.1,
                        at_checkpoint=left > 0 and self._random.random() < 0.5,
                    )
                )

    def _ends_within(self, procedure_id: int, seconds: float) -> bool:
        try:
            self._service.view.ended(procedure_id).result(seconds)
        except NotInTime:
            return False
        return True


def _kill_any_worker(chance: random.Random) -> None:
    """Kill some worker, of whatever procedure or on standby."""
    pid = guardian()
    workers = posix.children(pid) if pid is not None else []
    if workers:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)


class Crew:
    """Operators at work at the same time.

    :param service: what they run procedures with
    :param seed: decides what they do
    """

    def __init__(self, service: ScriptExecutionService, seed: str) -> None:
        self._service = service
        self._seed = seed
        self._lock = threading.Lock()
        self._left = 0
        self.complaints: list[str] = []

    def run(self, procedures: int, operators: int) -> None:
        """Run procedures until there have been as many as wanted, or something has gone wrong.

        :param procedures: how many
        :param operators: how many operators are at work
        """
        self._left = procedures
        threads = [
            threading.Thread(target=self._work, args=[number], name=f"operator-{number}")
            for number in range(operators)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number: int) -> None:
        operator = Operator(self._service, f"{self._seed}-{number}")
        while self._take():
            try:
                complaint = operator.run_one()
            except Exception as error:  # the others are to end too, and all of it to be reported
                LOGGER.exception("An operator met what it did not expect")
                complaint = f"operator {number}: {error!r}"
            if complaint is not None:
                with self._lock:
                    self.complaints.append(complaint)

    def _take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0 and not self.complaints
