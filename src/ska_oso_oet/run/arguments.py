"""The command line of ``python -m ska_oso_oet.run``."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ska_oso_oet.cli.literals import read_value
from ska_oso_oet.model import ProcedureInput

USAGE = """\
Usage: python -m ska_oso_oet.run [--pdb] [--no-environment]
           SCRIPT [VALUE ...] [--NAME=VALUE ...] [--init.NAME=VALUE ...]

Run a script as the OET does, in this terminal: its top level, init(), and main(). Packages that its header
names (PEP 723) are installed in an environment for the script, below ~/.cache/ska-oso-oet.

  VALUE, --NAME=VALUE   arguments of main
  --init.NAME=VALUE     arguments of init
  --pdb                 debug the script where it raises; breakpoint() works with and without it
  --no-environment      run it with the packages that are here, and ignore its header
  --                    all that follows are values for main

Values are read as Python or JSON literals (12, true, '[1, 2]'), else as text.
The exit status is the script's: 0, that of sys.exit(), 1 for an exception, 130 after Ctrl-C.
"""

_NAMED = re.compile(r"--(init\.)?([^=\s]+)=(.*)", re.DOTALL)


class UsageError(ValueError):
    """The command line is wrong."""


class CommandLine(NamedTuple):
    """Parsed command line.

    :param script: file of the script
    :param init: arguments of ``init``
    :param main: arguments of ``main``
    :param pdb: whether to debug the script where it raises
    :param environment: whether to run it in an environment with the packages that its header names
    """

    script: Path
    init: ProcedureInput
    main: ProcedureInput
    pdb: bool
    environment: bool


def parse(words: Sequence[str]) -> CommandLine:
    """Read a command line.

    :param words: what follows the name of the program
    :raises UsageError: if it is wrong
    """
    texts: list[str] = []
    named: dict[str, dict[str, str]] = {"init": {}, "main": {}}
    pdb, environment = False, True
    rest = iter(words)
    for word in rest:
        if word == "--":
            texts += rest
        elif word == "--pdb":
            pdb = True
        elif word == "--no-environment":
            environment = False
        elif match := _NAMED.fullmatch(word):
            function, name, value = "init" if match[1] else "main", match[2].replace("-", "_"), match[3]
            if not name.isidentifier():
                raise UsageError(f"{word}: {name!r} cannot be the name of a parameter")
            if name in named[function]:
                raise UsageError(f"{word}: {name} is given twice")
            named[function][name] = value
        elif re.match("--?[^0-9.-]", word):
            raise UsageError(f"{word}: give --NAME=VALUE, in one word; after -- all words are values")
        else:
            texts.append(word)
    if not texts:
        raise UsageError("name the file of a script")
    inputs = {
        function: ProcedureInput(*(map(read_value, texts[1:]) if function == "main" else ()), **_read(values))
        for function, values in named.items()
    }
    return CommandLine(Path(texts[0]), inputs["init"], inputs["main"], pdb, environment)


def _read(values: dict[str, str]) -> dict[str, object]:
    return {name: read_value(value) for name, value in values.items()}
