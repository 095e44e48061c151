"""Change of a process to the interpreter of another environment.

It executes that interpreter in its own place, so that its ID, its pipes and its standard streams stay
what they are. There, packages of the environment come first, and those of the server after them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import ska_oso_oet
from ska_oso_oet.mptools import PipeQueue, QueueProcWorker, SharedEvent

_ENTRY = Path(__file__).with_name("interpreter_entry.py")
_PACKAGE = Path(ska_oso_oet.__file__).parent

# They would put other packages before those of the environment, or have another library used.
_REMOVED_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX")


@dataclass(frozen=True)
class Inheritance:
    """State that a worker passes to itself when it continues under another interpreter.

    :param name: name of the worker
    :param inbox: descriptor that its messages come from
    :param outbox: descriptor that its messages go to
    :param startup: descriptor of its start-up event
    :param shutdown: descriptor of its shutdown event
    """

    name: str
    inbox: int
    outbox: int
    startup: int
    shutdown: int

    @classmethod
    def of(cls, worker: QueueProcWorker) -> Self:
        """Return the state of a worker that a `WorkerContext` has started."""
        outbox, inbox, startup, shutdown = (
            worker.event_q,
            worker.work_q,
            worker.startup_event,
            worker.shutdown_event,
        )
        # Only the message loop asks for this, and it starts its workers by a WorkerContext.
        assert isinstance(inbox, PipeQueue)  # noqa: S101
        assert isinstance(outbox, PipeQueue)  # noqa: S101
        assert isinstance(startup, SharedEvent)  # noqa: S101
        assert isinstance(shutdown, SharedEvent)  # noqa: S101
        return cls(
            name=worker.name,
            inbox=inbox.reader.fileno(),
            outbox=outbox.writer.fileno(),
            startup=startup.fileno(),
            shutdown=shutdown.fileno(),
        )

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All descriptors."""
        return self.inbox, self.outbox, self.startup, self.shutdown


def become(python: Path, inheritance: Inheritance) -> NoReturn:
    """Continue under another interpreter.

    :param python: the interpreter of a virtual environment
    :param inheritance: the state to continue with
    :raises OSError: if it cannot be executed
    """
    for descriptor in inheritance.descriptors:
        os.set_inheritable(descriptor, True)
    _execute(python, {"inheritance": asdict(inheritance)})


def go_on(python: Path, module: str, words: Sequence[str]) -> NoReturn:
    """Run a program of this package under another interpreter.

    :param python: the interpreter of a virtual environment
    :param module: name of the module whose function ``run`` is the program: called with the command line, it
        returns the exit status
    :param words: the command line, without the name of the program
    :raises OSError: if it cannot be executed
    """
    _execute(python, {"program": module, "words": list(words)})


def check(python: Path) -> None:
    """Check whether a worker can run under an interpreter. Faults go to standard error.

    :param python: the interpreter of a virtual environment
    :raises subprocess.CalledProcessError: if it cannot
    """
    subprocess.run(_command(python, {}), env=environment_of(python), check=True)


def environment_of(python: Path) -> dict[str, str]:
    """Return the environment variables of programs in a virtual environment.

    :param python: its interpreter
    """
    variables = {name: value for name, value in os.environ.items() if name not in _REMOVED_VARIABLES}
    path = os.pathsep.join([str(python.parent), variables.get("PATH", os.defpath)])
    return {**variables, "VIRTUAL_ENV": str(python.parent.parent), "PATH": path}


def _execute(python: Path, purpose: dict[str, Any]) -> NoReturn:
    command = _command(python, purpose)
    os.execve(command[0], command, environment_of(python))  # noqa: S606  # no shell is needed


def _command(python: Path, purpose: dict[str, Any]) -> list[str]:
    paths = [entry for entry in sys.path if entry and os.path.isabs(entry)]
    settings = {"package": str(_PACKAGE), "paths": paths, **purpose}
    # -P: the folder of the entry's own file has modules that must not be top-level modules.
    return [str(python), "-P", str(_ENTRY), json.dumps(settings)]
