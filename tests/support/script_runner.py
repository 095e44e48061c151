"""Runs a script's ``init`` and ``main`` in a process of their own, and notes the events it publishes.

As a program: ``python -m tests.support.script_runner <script> <JSON: {"init": [args, kwargs], "main": …}>``.
"""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pubsub import pub
from tests.support.patience import PATIENCE

from ska_oso_oet.event import topics

SCRIPTS = Path(topics.__file__).parents[1] / "scripts"
"""The scripts that ship with the OET."""

_PROJECT = Path(__file__).parents[2]

Arguments = tuple[list[Any], dict[str, Any]]

_EVENT = "EVENT "


@dataclass(frozen=True)
class Run:
    """End of a script."""

    returncode: int
    output: str
    errors: str
    events: list[tuple[str, dict[str, Any]]]

    @property
    def topics(self) -> list[str]:
        """Topics of the events that it published, in order."""
        return [topic for topic, _ in self.events]


def run_script(
    script: Path, *, init: Arguments | None = None, main: Arguments, environment: Mapping[str, str]
) -> Run:
    """Run a script to its end.

    :param script: its file
    :param init: arguments of ``init``; None does not call it
    :param main: arguments of ``main``
    :param environment: variables to set on top of this process's environment
    """
    calls = {"init": init, "main": main} if init else {"main": main}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.script_runner", str(script), json.dumps(calls)],
        cwd=_PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    lines = ended.stdout.splitlines()
    events = [json.loads(line.removeprefix(_EVENT)) for line in lines if line.startswith(_EVENT)]
    output = "\n".join(line for line in lines if not line.startswith(_EVENT))
    return Run(ended.returncode, output, ended.stderr, [(topic, fields) for topic, fields in events])


def _note(topic: Any = pub.AUTO_TOPIC, **fields: Any) -> None:
    fields.pop("msg_src", None)
    sys.stdout.write(_EVENT + json.dumps([topic.getName(), fields]) + "\n")


def _main(script: str, calls: str) -> None:
    pub.subscribe(_note, pub.ALL_TOPICS)
    functions = runpy.run_path(script)
    for name, (args, kwargs) in json.loads(calls).items():
        functions[name](*args, **kwargs)


if __name__ == "__main__":
    _main(*sys.argv[1:])
