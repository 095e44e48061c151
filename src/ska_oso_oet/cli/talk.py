"""Commands by which an operator talks to scripts: pause, resume, step and send, question, answer, context."""

from typing import TYPE_CHECKING, Any

import click

from .arguments import ScriptCommand
from .options import POSITIVE, examples, pid_option, with_session

if TYPE_CHECKING:
    from .session import Session

_PID = "ID of the procedure; without it, the one that is running."


@click.command(epilog=examples("oet procedure pause", "oet procedure pause --pid=2"))
@pid_option(_PID)
@with_session
def pause(session: "Session", /, pid: int | None) -> None:
    """Pause a script at its next checkpoint.

    A script without checkpoints never pauses. 'oet procedure resume' lets it continue, also if it has not
    paused yet.
    """
    from .talk_calls import pause_procedure

    pause_procedure(session, pid)


@click.command(epilog=examples("oet procedure resume", "oet procedure resume --pid=2"))
@pid_option(_PID)
@with_session
def resume(session: "Session", /, pid: int | None) -> None:
    """Let a paused script continue; withdraw a pause or stop at its next checkpoint."""
    from .talk_calls import resume_procedure

    resume_procedure(session, pid)


@click.command(epilog=examples("oet procedure step", "oet procedure step --pid=2"))
@pid_option(_PID)
@with_session
def step(session: "Session", /, pid: int | None) -> None:
    """Let a script continue to its next checkpoint, and wait there."""
    from .talk_calls import step_procedure

    step_procedure(session, pid)


@click.command(
    cls=ScriptCommand,
    epilog=examples(
        "oet procedure send operator.skip --scan=3", "oet procedure send operator.note --text=hello"
    ),
)
@click.argument("topic")
@pid_option(_PID)
@with_session
def send(
    session: "Session",
    /,
    topic: str,
    pid: int | None,
    script_kwargs: dict[str, Any],
) -> None:
    """Send a message to the listeners of a script.

    TOPIC is below 'operator', e.g. operator.skip. Options written --name=value are the data of the message.
    """
    from .talk_calls import send_message

    send_message(session, pid, topic, script_kwargs)


@click.command()
@with_session
def question(session: "Session", /) -> None:
    """Show the question of a script that waits for an answer."""
    from .talk_calls import show_question

    show_question(session)


@click.command(
    # Or negative numbers would be taken for options.
    context_settings={"ignore_unknown_options": True},
    epilog=examples("oet answer yes", "oet answer 42.5 --question=7"),
)
@click.argument("answer")
@click.option(
    "--question",
    "question_id",
    type=POSITIVE,
    help="ID of the question; without it, the one that 'oet question' shows.",
)
@with_session
def answer(session: "Session", /, answer: str, question_id: int | None) -> None:
    """Answer the question of a script.

    The first answer that fits counts.
    """
    from .talk_calls import give_answer

    give_answer(session, answer, question_id)


@click.command(
    epilog=examples("oet context", "oet context --set wait_for_qa_ready=true", "oet context --unset weather")
)
@click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a member.")
@click.option("--unset", "names", metavar="NAME", multiple=True, help="Remove a member.")
@with_session
def context(session: "Session", /, assignments: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Show or change the context of all scripts, as JSON.

    Values are read as Python or JSON literals (12, true, '[1, 2]'), else as text.
    """
    from .talk_calls import show_context

    show_context(session, assignments, names)
