"""``python -m ska_oso_oet.run``: see the package."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from typing import Any

from ska_oso_oet.model import FileSystemScript, OetError, ProcedureInput, default_context, script_to_json
from ska_oso_oet.mptools import EventMessage
from ska_oso_oet.procedure.domain.source import SIZE_LIMIT
from ska_oso_oet.procedure.worker.messages import ToWorker
from ska_oso_oet.procedure.worker.stdio import set_up_logging
from ska_oso_oet.procedure.worker.terminal import Inbox, Terminal, TerminalWorker

from . import environment
from .arguments import USAGE, CommandLine, UsageError, parse

_PROGRAM = "ska_oso_oet.run.__main__"


def run(words: Sequence[str]) -> int:
    """Run the script that a command line names. Returns if it cannot be run, else ends the process.

    :param words: what follows the name of the program
    :returns: the exit status
    """
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return os.EX_OK if words else 2
    try:
        line = parse(words)
    except UsageError as error:
        sys.stderr.write(f"{error}\n\n{USAGE}")
        return 2
    script = line.script.resolve()
    if line.environment and script.is_file():
        try:
            environment.enter(script, _PROGRAM, ["--no-environment", *words])
        except KeyboardInterrupt:
            return 130
        except (OetError, OSError) as error:
            sys.stderr.write(f"{error}\n[oet] FAILED\n")
            return 1
    sys.argv[:] = [str(script)]
    set_up_logging()
    event: Any = multiprocessing.Event
    inbox: Any = Inbox(_messages(line, script.as_uri()))
    terminal: Any = Terminal()
    return TerminalWorker(script.stem, event(), event(), terminal, inbox, debug=line.pdb).run()


def _messages(line: CommandLine, uri: str) -> list[EventMessage]:
    """Return the messages by which the worker loads the script and calls its functions."""
    load = {
        "script": script_to_json(FileSystemScript(uri)),
        "size_limit": SIZE_LIMIT,
        "procedure_id": 1,
        "directory": str(os.getcwd()),
        "environment": {},
        "arguments": {"init": line.init.to_json(), "main": line.main.to_json()},
        "grace": None,
        "context": default_context(os.environ),
    }
    calls = [_call("init", line.init), _call("main", line.main)]
    return [EventMessage("run", ToWorker.LOAD, load), *calls]


def _call(function: str, arguments: ProcedureInput) -> EventMessage:
    return EventMessage("run", ToWorker.RUN, {"function": function, **arguments.to_json()})


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
