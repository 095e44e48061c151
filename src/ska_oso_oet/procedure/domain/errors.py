"""Exceptions for refused requests. Each message says what happened and what to do."""

from ska_oso_oet.model import OetError


class ScriptError(OetError, ValueError):
    """A script, or its arguments, cannot be accepted."""


class ScriptNotFoundError(ScriptError):
    """The script does not exist."""


class ScriptNotAllowedError(ScriptError):
    """The script lies outside the places that scripts may be run from."""


class ScriptNotAtHandError(ScriptError):
    """The text of the script is not fetched yet, or takes long to read: ExamineScript describes it."""


class ScriptDefectiveError(ScriptError):
    """The script has a syntax error, no function that can be run, or a header that cannot be used."""


class ArgumentsError(ScriptError):
    """Arguments do not fit the signature of the function they are for."""


class ProcedureNotFoundError(OetError, LookupError):
    """The procedure does not exist, or is no longer kept."""


class NotKeptError(OetError, LookupError):
    """A record of a procedure is not kept, although the procedure is."""


class ProcedureFileNotFoundError(OetError, LookupError):
    """A procedure has no file of that name."""


class OutputNotKeptError(NotKeptError):
    """The output of a procedure is not kept, although the procedure is.

    :param procedure_id: the procedure
    :param kept: of how many procedures the output is kept
    """

    def __init__(self, procedure_id: int, kept: int) -> None:
        super().__init__(
            f"The output of procedure {procedure_id} is not kept: that of the newest {kept} procedures is."
        )


class StateForbidsError(OetError, RuntimeError):
    """The state of a procedure, or of another one, forbids the request."""


class AnotherProcedureRunsError(StateForbidsError):
    """Another procedure runs; this one can be started after that has ended."""


class StopWithdrawnError(OetError, RuntimeError):
    """A stop at a checkpoint was withdrawn."""


class QuestionNotFoundError(OetError, LookupError):
    """The question does not exist, or is no longer kept."""


class QuestionClosedError(OetError, RuntimeError):
    """A question no longer waits for an answer."""
