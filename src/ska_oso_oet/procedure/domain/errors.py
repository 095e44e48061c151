"""Why a request is refused. Each message says what happened and what to do."""

from ska_oso_oet.model import OetError


class ScriptError(OetError, ValueError):
    """A script, or what is to be given to it, cannot be accepted."""


class ScriptNotFoundError(ScriptError):
    """There is no such script."""


class ScriptNotAllowedError(ScriptError):
    """The script lies outside the places that scripts may be run from."""


class ScriptNotAtHandError(ScriptError):
    """The text of the script is not here yet, or takes long to read: ExamineScript describes it."""


class ScriptDefectiveError(ScriptError):
    """The script has a syntax error, no function that can be run, or a header that cannot be used."""


class ArgumentsError(ScriptError):
    """Arguments do not fit the signature of the function they are for."""


class ProcedureNotFoundError(OetError, LookupError):
    """There is no such procedure, or it is no longer kept."""


class NotKeptError(OetError, LookupError):
    """What is asked for of a procedure is not kept, although the procedure is."""


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
    """The state of a procedure, or of another one, forbids what was asked for."""


class AnotherProcedureRunsError(StateForbidsError):
    """Another procedure runs; this one could be started if it did not."""


class StopWithdrawnError(OetError, RuntimeError):
    """A stop at a checkpoint does not take effect any more."""


class QuestionNotFoundError(OetError, LookupError):
    """There is no such question, or it is no longer kept."""


class QuestionClosedError(OetError, RuntimeError):
    """A question does not wait for an answer any more."""
