"""Implementation of `oet procedure output`."""

from contextlib import suppress

from ska_oso_oet.model import Output

from .output import CommandOutput
from .session import Session
from .stream import Pulse, ReceivedOutput


def show_output(session: Session, pid: int | None, after: int, follow: bool) -> None:
    """Print the output of a procedure.

    :param session: with the service that runs it
    :param pid: its ID; None for the last one created
    :param after: how many lines to skip
    :param follow: whether to continue until it ends
    """
    number = session.rest.last_created().id if pid is None else pid
    if follow:
        with suppress(KeyboardInterrupt):  # a normal end
            _follow(session, number, after)
        return
    while True:
        reply = session.rest.output(number, after)
        session.show(reply, print_output)
        if reply.content.ended or not reply.content.lines:
            return
        after = reply.content.next


def _follow(session: Session, pid: int, after: int) -> None:
    with session.output_stream(pid, after) as stream:
        for item in stream:
            if isinstance(item, Pulse):
                continue
            print_received(session.output, item)
            if item.output.ended:
                return


def print_received(output: CommandOutput, received: ReceivedOutput, mark: str = "") -> None:
    """Print a part of a script's output, for people or for programs.

    :param output: output of the command
    :param received: the lines
    :param mark: what each line begins with, for people
    """
    if output.as_json:
        output.json_text(received.text)
    else:
        print_output(output, received.output, mark)


def print_output(output: CommandOutput, part: Output, mark: str = "") -> None:
    """Print a part of a script's output for people."""
    if part.dropped:
        output.note(f"{part.dropped} lines are no longer kept")
    if part.lines:
        output.text("\n".join(mark + line for line in part.lines))
