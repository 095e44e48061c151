"""Interaction of scripts and operators: questions, and requests that take effect at checkpoints."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StrictInt, model_validator
from pydantic_core import to_json

from .base import Model
from .errors import OetError
from .requester import RequestedBy, Requester

MAX_LABEL = 200
"""Characters of the label of a checkpoint that are kept."""

MAX_CONTEXT = 64 * 1024 - 1
"""Bytes of JSON that the context of scripts may have: as many as the Tango database keeps of a value."""

WAIT_FOR_QA_READY = "wait_for_qa_ready"
"""Member of the context: whether a script waits until the quality assessment is ready."""

OPERATOR_TOPICS = "operator."
"""Beginning of the topics on which an operator sends something to a script."""

_WAIT_VARIABLE = "OET_WAIT_FOR_QA_READY"
_MAX_NUMBER = (1 << 63) - 1
_MAX_TEXT = 2000
_MAX_CHOICES = 100
_MAX_SIZE = 64 * 1024
_YES, _NO = frozenset({"yes", "y", "true"}), frozenset({"no", "n", "false"})

ProcedureId = Annotated[StrictInt, Field(ge=1, le=_MAX_NUMBER)]
Answerable = str | bool | int | float
"""A value that can be the answer to a question."""

AnswerType = Literal["string", "integer", "number", "boolean"]


class AnswerError(OetError, ValueError):
    """An answer does not fit its question. The message says which answers are valid."""


class AtCheckpoint(StrEnum):
    """Effect of a script's next checkpoint."""

    PAUSE = "PAUSE"
    """It waits there until it is resumed."""
    STOP = "STOP"
    """It is stopped there."""


class QuestionState(StrEnum):
    """State of a question."""

    OPEN = "OPEN"
    """It waits for an answer."""
    ANSWERED = "ANSWERED"
    """It was answered."""
    EXPIRED = "EXPIRED"
    """It was not answered in time; its default was the answer, if it has one."""
    WITHDRAWN = "WITHDRAWN"
    """The script has ended, or has been stopped while it asked."""

    @property
    def is_final(self) -> bool:
        """Whether a question in this state can no longer change."""
        return self is not QuestionState.OPEN


class QuestionRequest(Model):
    """A question as a script asks it."""

    text: str = Field(min_length=1, max_length=_MAX_TEXT, description="the question, for people")
    type: AnswerType = Field(default="string", description="type of the answer, as JSON Schema names it")
    choices: list[Answerable] | None = Field(
        default=None, min_length=1, max_length=_MAX_CHOICES, description="the only answers; null for any"
    )
    unit: str = Field(default="", max_length=100, description="unit of a number, for people")
    minimum: float | None = Field(default=None, allow_inf_nan=False, description="least number")
    maximum: float | None = Field(default=None, allow_inf_nan=False, description="greatest number")
    default: Answerable | None = Field(
        default=None, description="the answer if nobody gives one in time; null if there is none"
    )
    timeout: float | None = Field(
        default=None, gt=0, le=1e9, description="seconds that the script waits; null for any time"
    )

    @model_validator(mode="after")
    def _is_answerable(self) -> Self:
        is_limited = self.minimum is not None or self.maximum is not None
        if is_limited and self.type not in ("integer", "number"):
            raise ValueError(f"'minimum' and 'maximum' are for numbers: the type is {self.type}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"the minimum {self.minimum:g} is greater than the maximum {self.maximum:g}")
        for choice in self.choices or ():
            if self._fault(choice, among_choices=False) is not None:
                raise ValueError(f"the choice {choice!r} is not an answer: {self.wanted(choices=False)}")
        if self.default is not None and self._fault(self.default) is not None:
            raise ValueError(f"the default {self.default!r} is not an answer: {self.wanted()}")
        return self

    def wanted(self, *, choices: bool = True) -> str:
        """Return a description of the valid answers, as a request for people.

        :param choices: whether to name the choices
        """
        if choices and self.choices is not None:
            return f"give one of {', '.join(map(shown_answer, self.choices))}"
        unit = f" in {self.unit}" if self.unit else ""
        kind = {
            "string": f"a text of at most {_MAX_TEXT} characters",
            "integer": f"a whole number{unit}",
            "number": f"a number{unit}",
            "boolean": "yes or no",
        }[self.type]
        limits = [
            f"{name} {limit:g}"
            for name, limit in (("at least", self.minimum), ("at most", self.maximum))
            if limit is not None
        ]
        return f"give {kind}" + (f", {' and '.join(limits)}" if limits else "")

    def check(self, answer: Any) -> Answerable:
        """Return an answer as the script gets it.

        :param answer: the answer, as JSON
        :raises AnswerError: if it does not fit; the message says which answers are valid
        """
        if (value := self._fault(answer)) is not None:
            raise AnswerError(f"{value} is not an answer to {self.text!r}: {self.wanted()}")
        return float(answer) if self.type == "number" else self._chosen(answer)

    def read(self, text: str) -> Answerable:
        """Return the answer that a person has typed. Nothing is the default.

        :param text: the typed text
        :raises AnswerError: if it does not fit; the message says which answers are valid
        """
        text = text.strip()
        if not text and self.default is not None:
            return self.default
        for choice in self.choices or ():
            if text.casefold() == shown_answer(choice).casefold():
                return choice
        return self.check(_typed(self.type, text))

    def _chosen(self, answer: Answerable) -> Answerable:
        return next((choice for choice in self.choices or () if _same(choice, answer)), answer)

    def _fault(self, answer: Any, *, among_choices: bool = True) -> str | None:
        """Return an answer for a message if it does not fit, None if it does."""
        fits = {
            "string": isinstance(answer, str) and len(answer) <= _MAX_TEXT,
            "integer": isinstance(answer, int) and not isinstance(answer, bool) and abs(answer) < 1 << 63,
            "number": _is_number(answer),
            "boolean": isinstance(answer, bool),
        }[self.type]
        if fits and self.minimum is not None:
            fits = answer >= self.minimum
        if fits and self.maximum is not None:
            fits = answer <= self.maximum
        if fits and among_choices and self.choices is not None:
            fits = any(_same(choice, answer) for choice in self.choices)
        return None if fits else repr(answer)[:80]


def _is_number(answer: Any) -> bool:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return False
    return abs(answer) < 1e308 if isinstance(answer, int) else math.isfinite(answer)


def _same(choice: Any, answer: Any) -> bool:
    # True equals 1 in Python, but not for people.
    return isinstance(choice, bool) == isinstance(answer, bool) and choice == answer


def _typed(kind: AnswerType, text: str) -> Any:
    """Convert a typed text to a value of a type; return the text if it is not one."""
    if kind == "boolean":
        word = text.casefold()
        return True if word in _YES else False if word in _NO else text
    convert = {"integer": int, "number": float}.get(kind)
    if convert is None:
        return text
    try:
        return convert(text)
    except ValueError:
        return text


def shown_answer(answer: Answerable) -> str:
    """Return an answer as people write it."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return answer if isinstance(answer, str) else f"{answer:g}" if isinstance(answer, float) else str(answer)


class Question(QuestionRequest):
    """A question of a script, as every client sees it."""

    id: int = Field(description="number of the question; never used again")
    procedure_id: int = Field(description="procedure whose script asks")
    state: QuestionState = QuestionState.OPEN
    asked: float = Field(description="when it was asked, seconds since 1970 (UTC)")
    deadline: float | None = Field(
        default=None, description="until when the script waits, seconds since 1970 (UTC); null for any time"
    )
    answer: Answerable | None = Field(default=None, description="what the script got; null before that")
    answered_by: Requester | None = Field(default=None, description="who has answered it")
    answered: float | None = Field(default=None, description="when it left OPEN, seconds since 1970 (UTC)")

    def entering(
        self, state: QuestionState, when: float, answer: Answerable | None = None, by: Requester | None = None
    ) -> "Question":
        """Return the question in another state, which is its last.

        :param state: the state
        :param when: time of that, seconds since 1970
        :param answer: the answer for the script
        :param by: who has answered
        """
        return self.model_copy(update={"state": state, "answer": answer, "answered_by": by, "answered": when})

    def outcome(self) -> str:
        """Return how the question has ended, for people."""
        answer = "" if self.answer is None else f" {shown_answer(self.answer)!r}"
        match self.state:
            case QuestionState.ANSWERED:
                who = "an unknown client" if self.answered_by is None else self.answered_by.name
                return f"was answered{answer} by {who}"
            case QuestionState.EXPIRED:
                return f"has expired; its answer was the default{answer}" if answer else "has expired"
            case QuestionState.WITHDRAWN:
                return "was withdrawn: its script no longer waits for it"
        return "is open"


class QuestionReply(Model):
    """The question that waits for an answer (``GET /question``)."""

    question: Question | None = Field(
        description="the question that was asked first of those that are open; null if there is none"
    )


class AnswerRequest(Model):
    """Answer to a question (``PUT /question``; the argument of ``Answer``)."""

    question: StrictInt = Field(ge=1, le=_MAX_NUMBER, description="ID of the question")
    answer: JsonValue = Field(description="the answer, of the question's type")
    requested_by: RequestedBy = None


class CheckpointRequest(Model):
    """Request to pause, to resume or to step a procedure."""

    pid: ProcedureId | None = Field(default=None, description="procedure ID; without it, the running one")
    requested_by: RequestedBy = None


class CheckpointReply(Model):
    """A procedure after a request to pause, to resume or to step it."""

    pid: int = Field(description="procedure ID")
    state: str = Field(description="its state at this moment")
    at_checkpoint: AtCheckpoint | None = Field(
        description="what happens at its next checkpoint; null if nothing does"
    )
    message: str = Field(description="what happens now, for people")


def _operator_topic(topic: str) -> str:
    if not topic.startswith(OPERATOR_TOPICS) or not all(part.isidentifier() for part in topic.split(".")):
        raise ValueError(f"{topic[:80]!r} is not a topic below 'operator': give one, e.g. 'operator.skip'")
    return topic


class OperatorMessage(Model):
    """Message to the listeners of a script."""

    topic: Annotated[str, Field(max_length=200), AfterValidator(_operator_topic)] = Field(
        description="topic below 'operator' that the script listens to", examples=["operator.skip"]
    )
    fields: dict[str, JsonValue] = Field(default_factory=dict, description="data of the message, by name")

    @model_validator(mode="after")
    def _fields_are_names(self) -> Self:
        for name in self.fields:
            if not name.isidentifier():
                raise ValueError(f"'fields': {name[:80]!r} cannot be the name of a parameter")
        if (size := len(to_json(self.fields))) > _MAX_SIZE:
            raise ValueError(f"'fields' have {size} bytes as JSON, {_MAX_SIZE} are allowed")
        return self


class SendRequest(OperatorMessage):
    """Message of an operator to a script (``SendToScript``)."""

    pid: ProcedureId | None = Field(default=None, description="procedure ID; without it, the running one")
    requested_by: RequestedBy = None


class SendReply(Model):
    """A message that was sent to a script."""

    pid: int = Field(description="procedure that gets it")
    topic: str


def default_context(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the initial context of scripts.

    :param variables: environment variables; ``OET_WAIT_FOR_QA_READY`` counts
    """
    waits = variables.get(_WAIT_VARIABLE, "").strip().casefold() in ("1", "true", "yes", "on")
    return {WAIT_FOR_QA_READY: waits}


def read_context(value: Any) -> dict[str, Any]:
    """Return the context of scripts that a client has set.

    :param value: the context, as JSON
    :raises ValueError: if it is not an object, or too large
    """
    if not isinstance(value, dict):
        raise ValueError(
            f'the context is a JSON object, e.g. {{"{WAIT_FOR_QA_READY}": true}}, and not {value!r:.80}'
        )
    if (size := len(to_json(value))) > MAX_CONTEXT:
        raise ValueError(f"the context has {size} bytes as JSON, {MAX_CONTEXT} are allowed")
    return value
