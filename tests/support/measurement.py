"""Exclusion of programs from the measurement of coverage.

Of the servers that tests start, those are measured that are forked from a process which has imported what
they need. Importing takes twice the time under measurement, and shows nothing new: so servers that start
afresh are not measured, and neither are the processes that a server starts. The latter are measured in the
tests of script execution, which start them without a server.
"""

from collections.abc import Mapping

_VARIABLE = "COVERAGE_PROCESS_CONFIG"
"""Variable by which ``coverage`` finds in a new process that it is to be measured."""

UNMEASURED: Mapping[str, str] = {_VARIABLE: ""}
"""Variables to add to those of a process, so that neither it nor what it starts is measured."""


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that is not measured, and starts none that is.

    :param environment: its variables as they are otherwise
    """
    return {name: value for name, value in environment.items() if name != _VARIABLE}
