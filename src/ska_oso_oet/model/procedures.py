"""Requests to prepare scripts, and summaries of the procedures that run them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from pydantic_core import to_json

from .base import Model, PositionalModel, ProcedureInput, ScriptArgs
from .failures import failure_line
from .interaction import AtCheckpoint
from .requester import AnyRequester, RequestedBy
from .results import ProcedureFile
from .scripts import Script, SummaryScript, without_text
from .states import ProcedureState


class ProcedureRequest(Model):
    """Request to prepare a script (``POST /procedures``; the argument of ``Create``)."""

    script: Script
    script_args: ScriptArgs = Field(default_factory=dict)
    requested_by: RequestedBy = None

    @model_validator(mode="before")
    @classmethod
    def _accept_top_level_uri(cls, value: Any) -> Any:
        """Accept the documentation's older form, ``{"script_uri": …}`` without ``script``."""
        if isinstance(value, dict) and "script_uri" in value and "script" not in value:
            uri = value["script_uri"]
            rest = {key: item for key, item in value.items() if key != "script_uri"}
            return {"script": {"script_type": "filesystem", "script_uri": uri}, **rest}
        return value


@dataclass(frozen=True)
class ArgCapture:
    """A call of a script's function.

    :param fn: name of the function
    :param fn_args: its arguments
    :param time: when it was called, seconds since 1970; None if it has not been called yet
    """

    fn: str
    fn_args: ProcedureInput
    time: float | None = None


def _captures(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return [{"fn": function, "fn_args": arguments} for function, arguments in value.items()]


def _by_function(captures: list[ArgCapture]) -> dict[str, ProcedureInput]:
    return {capture.fn: capture.fn_args for capture in captures}


def with_call(captures: Iterable[ArgCapture], call: ArgCapture) -> list[ArgCapture]:
    """Return the calls of a script's functions after one more call.

    :param captures: the calls before it, and those to come whose arguments are known
    :param call: the call
    """
    others = [capture for capture in captures if capture.fn != call.fn or capture.time is not None]
    return [*others, call]


ArgCaptures = Annotated[list[ArgCapture], BeforeValidator(_captures), PlainSerializer(_by_function)]
"""Calls of a script's functions. In JSON: the newest arguments, by the name of the function."""


@dataclass(frozen=True)
class ProcedureHistory:
    """States that a procedure has passed through.

    :param process_states: each state with the time when it was entered, seconds since 1970 (UTC)
    :param stacktrace: why the procedure is FAILED, UNKNOWN, or STOPPED without a request; else None
    """

    process_states: list[tuple[ProcedureState, float]] = field(default_factory=list)
    stacktrace: Annotated[
        str | None, Field(description="why it FAILED, is UNKNOWN, or was STOPPED without a request")
    ] = None


_LISTED_RESULT = 1024
_LISTED_FILES = 16


class ProcedurePhase(StrEnum):
    """Phase of a procedure. The state RUNNING belongs to two of them."""

    PREPARING = "PREPARING"
    """On its way to READY; ``init`` runs here."""
    READY = "READY"
    """``main`` can be started."""
    MAIN = "MAIN"
    """``main`` runs, or has just returned."""
    ENDED = "ENDED"
    """In a final state."""


class ProcedureSummary(PositionalModel):
    """Summary of a procedure at one moment, as every client sees it."""

    positional = ("id", "script", "script_args", "history", "state")

    id: int
    uri: str | None = Field(default=None, description="address at the REST service; filled by the sidecar")
    script: SummaryScript
    script_args: ArgCaptures = Field(default_factory=list)
    history: ProcedureHistory
    state: ProcedureState
    created: float = Field(default=0.0, description="time of the request, seconds since 1970 (UTC)")
    command_id: str | None = Field(default=None, description="ID of the long-running command that made it")
    subarray_id: int | None = Field(
        default=None,
        description="subarray that it uses, by its arguments and their defaults; null if unknown",
    )
    requested_by: AnyRequester | None = Field(
        default=None, description="who created it; null if the OET created it to send Abort"
    )
    started_by: AnyRequester | None = Field(
        default=None, description="who started main; null if it has not been started"
    )
    stopped_by: AnyRequester | None = Field(
        default=None,
        description="who stopped it; null if it was not stopped, or if the OET stopped it by itself",
    )
    queue_entry: int | None = Field(
        default=None, description="entry of the queue that it runs for; null if it was created by hand"
    )
    checkpoint: str | None = Field(
        default=None, description="label of the checkpoint that its script has reached last"
    )
    at_checkpoint: AtCheckpoint | None = Field(
        default=None, description="what happens at its next checkpoint; null if nothing does"
    )
    result: Any = Field(default=None, description="what main has returned, as JSON of at most 64 KiB")
    result_omitted: str | None = Field(default=None, description="why the result is not kept")
    files: list[ProcedureFile] = Field(
        default_factory=list, description="files that its script has left in its working directory"
    )
    files_omitted: int = Field(default=0, description="how many further files are neither listed nor kept")
    script_sha256: str | None = Field(default=None, description="SHA-256 of the text of the script that ran")
    commit: str | None = Field(default=None, description="commit that a script from git is of")
    environment: str | None = Field(
        default=None, description="SHA-256 of the list of packages that the script could import"
    )
    truncated: list[str] = Field(
        default_factory=list,
        description="fields that are left out, wholly or in part; the description of the procedure has all",
        exclude_if=lambda names: not names,
    )

    @property
    def arguments(self) -> dict[str, ProcedureInput]:
        """The newest arguments of the script's functions, by the name of the function."""
        return _by_function(self.script_args)

    def arguments_of(self, function: str) -> ProcedureInput | None:
        """Return the newest arguments of a function, None if there are none."""
        return self.arguments.get(function)

    @property
    def was_ready(self) -> bool:
        """Whether the procedure is READY or has been."""
        return ProcedureState.READY in [state for state, _ in self.history.process_states]

    @property
    def main_began(self) -> bool:
        """Whether ``main`` runs or has run. RUNNING before the first READY is ``init``."""
        return self.main_began_at is not None

    @property
    def main_began_at(self) -> float | None:
        """When ``main`` began to run, seconds since 1970; None if it has not."""
        was_ready = False
        for state, when in self.history.process_states:
            if was_ready and state is ProcedureState.RUNNING:
                return when
            was_ready = was_ready or state is ProcedureState.READY
        return None

    @property
    def phase(self) -> ProcedurePhase:
        """The part of its life that the procedure is in."""
        if self.state.is_final:
            return ProcedurePhase.ENDED
        if self.main_began:
            return ProcedurePhase.MAIN
        return ProcedurePhase.READY if self.was_ready else ProcedurePhase.PREPARING

    @property
    def failure_line(self) -> str | None:
        """The line of the stack trace that says what went wrong, None if the procedure has not failed."""
        return None if self.history.stacktrace is None else failure_line(self.history.stacktrace)

    def in_lists(self) -> "ProcedureSummary":
        """Return the summary for lists and events: without the parts that may be long.

        These are the text of a script, a result of more than 1 KiB, and all but 16 files.
        """
        update: dict[str, Any] = {}
        if (script := without_text(self.script)) is not self.script:
            update["script"] = script
        if self.result is not None and len(to_json(self.result, fallback=repr)) > _LISTED_RESULT:
            update["result"] = None
        if len(self.files) > _LISTED_FILES:
            update["files"] = self.files[:_LISTED_FILES]
        return self.model_copy(update=update | {"truncated": list(update)}) if update else self

    def entering(
        self, state: ProcedureState, when: float, stacktrace: str | None = None, **news: Any
    ) -> "ProcedureSummary":
        """Return the summary of the procedure after one more state.

        :param state: the state that is entered
        :param when: time of that, seconds since 1970
        :param stacktrace: why, of a failure; None keeps what there is
        :param news: other fields that have changed
        """
        history = ProcedureHistory(
            [*self.history.process_states, (state, when)],
            self.history.stacktrace if stacktrace is None else stacktrace,
        )
        return self.model_copy(update={**news, "state": state, "history": history})
