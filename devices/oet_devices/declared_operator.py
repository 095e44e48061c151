"""Attributes and commands of an OETController for the interaction of operators and scripts."""

from typing import Protocol

from tango import AttrWriteType
from tango.server import attribute

from oet_devices.ska.request_log import request

from .operator_commands import OperatorCommands, ScriptContext
from .publishing import Shown

_PROCEDURE = 'Nothing for the procedure that runs, its ID, e.g. 2, or JSON: {"pid": 2}'
_STANDING = 'JSON: {"pid", "state", "at_checkpoint": "PAUSE", "STOP" or null, "message"}'


class WithOperator(Protocol):
    """A device with the attributes and commands for the interaction of operators and scripts.

    :ivar operator_commands: carries out the commands
    :ivar script_context: the context of all scripts
    :ivar shown: the values of the attributes
    """

    operator_commands: OperatorCommands
    script_context: ScriptContext
    shown: Shown


@attribute(dtype="DevDouble", label="Progress", unit="%", min_value=0.0, max_value=100.0)
def progress(self: WithOperator) -> float:
    """Progress of the running script, which it reports on the topic user.script.progress.

    It is 0 if no script runs, or if the script has reported none. Changes that follow each other quickly may
    share an event.
    """
    return self.shown.status_line.progress()


@attribute(dtype="DevString", label="Question")
def question(self: WithOperator) -> str:
    """The question of a script that waits for an answer, as JSON; empty if there is none. See Answer.

    Of several, it is the one that was asked first. Changes that follow each other quickly may share an event.
    """
    return self.operator_commands.question()


def _read_context(self: WithOperator) -> str:
    return self.script_context.text()


def _write_context(self: WithOperator, value: str) -> None:
    self.script_context.write(value)


scriptContext = attribute(  # noqa: N816  # the name that Tango clients know
    fget=_read_context,
    fset=_write_context,
    name="scriptContext",
    dtype="DevString",
    access=AttrWriteType.READ_WRITE,
    memorized=True,
    hw_memorized=True,
    label="Script context",
    doc="What operators have set for all scripts: a JSON object of less than 64 KiB. Scripts read it as "
    "ska_oso_oet.interaction.context, and main gets a copy by its parameter context.",
)


@request(dtype_in="DevString", doc_in=_PROCEDURE, dtype_out="DevString", doc_out=_STANDING)
def Pause(self: WithOperator, argin: str) -> str:
    """Pause a script at its next checkpoint, until Resume or Step. A script without checkpoints continues."""
    return self.operator_commands.pause(argin)


@request(dtype_in="DevString", doc_in=_PROCEDURE, dtype_out="DevString", doc_out=_STANDING)
def Resume(self: WithOperator, argin: str) -> str:
    """Let a paused script continue; withdraw a pause, or a stop, at its next checkpoint."""
    return self.operator_commands.resume(argin)


@request(dtype_in="DevString", doc_in=_PROCEDURE, dtype_out="DevString", doc_out=_STANDING)
def Step(self: WithOperator, argin: str) -> str:
    """Let a script continue to its next checkpoint, and wait there."""
    return self.operator_commands.step(argin)


@request(
    dtype_in="DevString",
    doc_in='JSON: {"question": ID, "answer": value}, with the ID that the attribute question shows',
    dtype_out="DevString",
    doc_out='JSON: {"question": {…}}, as it is then',
)
def Answer(self: WithOperator, argin: str) -> str:
    """Answer the question of a script. The first answer that fits counts."""
    return self.operator_commands.answer(argin)


@request(
    dtype_in="DevString",
    doc_in='JSON: {"pid": 2, "topic": "operator.skip", "fields": {"scan": 3}}; without "pid", the procedure '
    "that runs",
    dtype_out="DevString",
    doc_out='JSON: {"pid", "topic"}',
)
def SendToScript(self: WithOperator, argin: str) -> str:
    """Send a message to the listeners that a script has subscribed to topics below operator."""
    return self.operator_commands.send(argin)
