"""Conversion between the JSON models of clients and the commands of the service."""

from typing import Any

from ska_oso_oet.model import ProcedureInput, ProcedureRequest, ProcedureSummary

from .application import PrepareProcessCommand

BASE_URI = "http://localhost:5000/api/v1.0"
"""Address of the REST interface that summaries name, where no other is given."""


def make_public_procedure_summary(procedure: ProcedureSummary, base_uri: str = BASE_URI) -> dict[str, Any]:
    """Return a summary as JSON for clients, with the procedure's address as ``uri``.

    :param procedure: the summary
    :param base_uri: address of the REST interface
    :returns: JSON values
    """
    public: dict[str, Any] = procedure.model_dump(mode="json", fallback=repr)
    return {**public, "uri": f"{base_uri}/procedures/{procedure.id}"}


def to_prepare_command(request: ProcedureRequest) -> PrepareProcessCommand:
    """Return the command that a request asks for."""
    return PrepareProcessCommand(
        script=request.script,
        init_args=request.script_args.get("init", ProcedureInput()),
        main_args=request.script_args.get("main"),
    )
