"""Why a request is refused. Each message says what happened and what to do."""


class ScriptError(ValueError):
    """A script, or what is to be given to it, cannot be accepted."""


class ScriptNotFound(ScriptError):
    """There is no such script."""


class ScriptNotAllowed(ScriptError):
    """The script lies outside the places that scripts may be run from."""


class ScriptDefective(ScriptError):
    """The script has a syntax error, or no function ``main``."""


class ArgumentsDoNotFit(ScriptError):
    """Arguments do not fit the signature of the function they are for."""


class ProcedureNotFound(LookupError):
    """There is no such procedure, or it is no longer kept."""


class StateForbids(RuntimeError):
    """The state of a procedure, or of another one, forbids what was asked for."""


class AnotherRuns(StateForbids):
    """Another procedure runs; this one could be started if it did not."""
