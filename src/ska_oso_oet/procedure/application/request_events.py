"""Events of requests.

Their ``cmd`` has the fields of the command, as the OET 5.2.0 documents them, and those that a client gives
in its request.
"""

from typing import Any

from ska_oso_oet.event.bus import Announcement
from ska_oso_oet.model import ProcedureInput, script_to_json, without_text

from .commands import Origin, PrepareProcessCommand, StartProcessCommand, StopProcessCommand


def request(verb: str, origin: Origin, cmd: dict[str, Any]) -> Announcement:
    """Return the event of a request."""
    fields = {"request_id": origin.request_id, "cmd": cmd, "requested_by": origin.requested_by_json()}
    return Announcement(f"request.procedure.{verb}", origin.msg_src, fields)


def start_fields(cmd: StartProcessCommand, run_args: ProcedureInput) -> dict[str, Any]:
    """Return the ``cmd`` of a request to start, with the arguments that count."""
    return {
        "process_uid": cmd.process_uid,
        "fn_name": cmd.fn_name,
        "run_args": run_args.to_json(),
        "force_start": cmd.force_start,
        "pid": cmd.process_uid,
        "script_args": _script_args({cmd.fn_name: run_args}),
    }


def stop_fields(cmd: StopProcessCommand) -> dict[str, Any]:
    """Return the ``cmd`` of a request to stop."""
    fields = {
        "process_uid": cmd.process_uid,
        "run_abort": cmd.run_abort,
        "pid": cmd.process_uid,
        "abort": cmd.run_abort,
    }
    return {**fields, "at": "checkpoint"} if cmd.at_checkpoint else fields


def prepare_fields(cmd: PrepareProcessCommand) -> dict[str, Any]:
    """Return the ``cmd`` of a request to create."""
    return {
        "script": script_to_json(without_text(cmd.script)),
        "init_args": cmd.init_args.to_json(),
        "script_args": _script_args({"init": cmd.init_args, "main": cmd.main_args}),
    }


def _script_args(calls: dict[str, ProcedureInput | None]) -> dict[str, Any]:
    return {function: arguments.to_json() for function, arguments in calls.items() if arguments is not None}
