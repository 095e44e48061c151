"""JSON in and out: between the models that clients speak and the commands and summaries of the service."""

from typing import Any

from ska_oso_oet.model import FunctionArgs, ProcedureRequest

from .application import PrepareProcessCommand, ProcedureSummary
from .domain import ExecutableScript, ProcedureInput


def make_public_procedure_summary(procedure: ProcedureSummary) -> dict[str, Any]:
    """Return a summary as JSON for clients. Its ``uri`` is for a REST service to fill in.

    :param procedure: the summary
    :returns: JSON values
    """
    return procedure.to_model().model_dump(mode="json", fallback=repr)


def to_prepare_command(request: ProcedureRequest) -> PrepareProcessCommand:
    """Return the command that a request asks for.

    :param request: a client's request
    :raises ValueError: if its URI does not fit the type of its script
    """
    main = request.script_args.get("main")
    return PrepareProcessCommand(
        script=ExecutableScript.from_model(request.script),
        init_args=to_procedure_input(request.script_args.get("init")),
        main_args=None if main is None else to_procedure_input(main),
    )


def to_procedure_input(arguments: FunctionArgs | None) -> ProcedureInput:
    """Return the arguments of a call, none at all for None."""
    if arguments is None:
        return ProcedureInput()
    return ProcedureInput(*arguments.args, **arguments.kwargs)
