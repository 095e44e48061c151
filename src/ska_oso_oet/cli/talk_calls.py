"""Implementation of the commands by which an operator talks to scripts."""

import json
from collections.abc import Sequence
from typing import Any

import click

from ska_oso_oet.model import (
    AnswerError,
    AtCheckpoint,
    CheckpointReply,
    ProcedureState,
    ProcedureSummary,
    Question,
    QuestionReply,
    SendReply,
    shown_answer,
)

from .errors import CommandError
from .literals import read_value
from .output import CommandOutput
from .rest import Reply, read_reply
from .session import Session
from .subjects import running_procedure


def pause_procedure(session: Session, pid: int | None) -> None:
    """Pause a procedure at its next checkpoint, and print its state.

    :param session: with the service that runs it
    :param pid: its ID; None for the one that is running
    :raises CommandError: if it does not run
    """
    number = running_procedure(session.rest) if pid is None else pid
    reply = session.rest.set_state(number, ProcedureState.PAUSED)
    if reply.content.state is not ProcedureState.PAUSED and reply.content.at_checkpoint is None:
        raise CommandError(
            f"Procedure {number} is {reply.content.state}: only a script that runs can be paused"
        )
    session.show(reply, _print_standing)


def resume_procedure(session: Session, pid: int | None) -> None:
    """Let a procedure continue; see `pause_procedure`."""
    number = running_procedure(session.rest) if pid is None else pid
    before = session.rest.procedure(number).content
    if before.state is not ProcedureState.PAUSED and before.at_checkpoint is None:
        raise CommandError(f"Procedure {number} is {before.state}: there is nothing to resume")
    session.show(
        session.rest.set_state(number, ProcedureState.RUNNING),
        lambda output, _: output.text(f"Procedure {number} continues"),
    )


def step_procedure(session: Session, pid: int | None) -> None:
    """Let a procedure continue to its next checkpoint; see `pause_procedure`."""
    number = running_procedure(session.rest) if pid is None else pid
    body = session.rest.http.request("POST", f"/procedures/{number}/step")
    session.show(read_reply(body, CheckpointReply), lambda output, reply: output.text(reply.message))


def _print_standing(output: CommandOutput, procedure: ProcedureSummary) -> None:
    where = "" if procedure.checkpoint is None else f" at checkpoint {procedure.checkpoint}"
    if procedure.state is ProcedureState.PAUSED:
        output.text(f"Procedure {procedure.id} is paused{where}")
    elif procedure.at_checkpoint is AtCheckpoint.STOP:
        output.text(f"Procedure {procedure.id} is stopped at its next checkpoint")
    else:
        output.text(f"Procedure {procedure.id} pauses at its next checkpoint")
        if procedure.checkpoint is None:
            output.note(
                "A script without checkpoints never pauses: "
                f"'oet procedure resume --pid={procedure.id}' withdraws this"
            )


def send_message(session: Session, pid: int | None, topic: str, fields: dict[str, Any]) -> None:
    """Send a message to the listeners of a script.

    :param session: with the service that runs it
    :param pid: ID of its procedure; None for the one that is running
    :param topic: topic of the message
    :param fields: data of the message
    """
    number = running_procedure(session.rest) if pid is None else pid
    message = {"topic": topic, "fields": fields}
    body = session.rest.http.request("POST", f"/procedures/{number}/send", message)
    session.show(
        read_reply(body, SendReply),
        lambda output, sent: output.text(f"Sent to procedure {sent.pid} on {sent.topic}"),
    )


def read_question(session: Session) -> Reply[QuestionReply]:
    """Return the question that waits for an answer."""
    return read_reply(session.rest.http.request("GET", "/question"), QuestionReply)


def show_question(session: Session) -> None:
    """Print the question that waits for an answer."""
    session.show(read_question(session), lambda output, reply: print_question(output, reply.question))


def print_question(output: CommandOutput, question: Question | None) -> None:
    """Print a question, and how to answer it.

    :param output: output of the command
    :param question: the question, None if there is none
    """
    if question is None:
        output.text("No script asks anything")
        return
    output.text(f"Question {question.id} of procedure {question.procedure_id}: {question.text}", "bold")
    offered = "" if question.default is None else f"; default {shown_answer(question.default)}"
    output.text(f"{question.wanted()}{offered}")


def give_answer(session: Session, text: str, question_id: int | None) -> None:
    """Answer a question.

    :param session: with the service
    :param text: the answer as it was typed
    :param question_id: the question; None for the one that waits
    :raises CommandError: if there is none, or the answer does not fit
    """
    open_question = read_question(session).content.question
    if question_id is None and open_question is None:
        raise CommandError("No script asks anything")
    if open_question is not None and question_id in (None, open_question.id):
        try:
            value: Any = open_question.read(text)
        except AnswerError as error:
            raise CommandError(str(error)) from None
        number = open_question.id
    else:
        # The service knows its state.
        value, number = read_value(text), int(question_id or 0)
    session.show(send_answer(session, number, value), _print_answered)


def send_answer(session: Session, question_id: int, value: Any) -> Reply[QuestionReply]:
    """Send an answer, and return the question as it is then."""
    body = session.rest.http.request("PUT", "/question", {"question": question_id, "answer": value})
    return read_reply(body, QuestionReply)


def _print_answered(output: CommandOutput, reply: QuestionReply) -> None:
    question = reply.question
    if question is not None and question.answer is not None:
        output.text(f"Question {question.id} is answered: {shown_answer(question.answer)}")


def show_context(session: Session, assignments: Sequence[str], names: Sequence[str]) -> None:
    """Print the context of all scripts, after a change if one is given.

    :param session: with the service
    :param assignments: members to set, as ``name=value``
    :param names: members to remove
    :raises click.UsageError: if an assignment is not one
    """
    context = session.rest.http.request("GET", "/context")
    if assignments or names:
        for assignment in assignments:
            name, equals, value = assignment.partition("=")
            if not name or not equals:
                raise click.UsageError(f"{assignment!r} is not NAME=VALUE.")
            context[name] = read_value(value)
        for name in names:
            if name not in context:
                raise CommandError(f"The context has no member {name!r}: 'oet context' shows what it has")
            del context[name]
        context = session.rest.http.request("PUT", "/context", context)
    session.show(
        Reply(context, context),
        lambda output, shown: output.text(json.dumps(shown, indent=2, ensure_ascii=False)),
    )
