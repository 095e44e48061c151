"""States, modes and codes as Markdown, from the enumerations that define them."""

import ast
import inspect
import textwrap
from enum import Enum, IntEnum

from ska_oso_oet.model import ActivityState, ProcedureState, QuestionState, QueueEntryState, QueueState
from ska_oso_oet.procedure.execution.procedure import NEXT_STATES

from ...ska.enums import AdminMode, HealthState, ResultCode, TaskStatus
from ..pogo import STATES
from .markdown import code, prose, table

_ENUMERATIONS: dict[str, type[Enum]] = {
    "Procedures": ProcedureState,
    "Activities": ActivityState,
    "Queue": QueueState,
    "Entries of the queue": QueueEntryState,
    "Questions": QuestionState,
    "Admin mode": AdminMode,
    "Health": HealthState,
    "Long-running commands: status": TaskStatus,
    "Long-running commands: result code": ResultCode,
}


def states() -> str:
    """Return the states of everything that has states."""
    device = table(("state", "meaning"), [(code(name), prose(text)) for name, text in STATES.items()])
    parts = [f"## Device\n\nThe Tango state of the controller.\n\n{device}"]
    parts += [_enumeration(title, kind) for title, kind in _ENUMERATIONS.items()]
    return "\n\n".join(parts)


def transitions() -> str:
    """Return which states of a procedure may follow which."""
    documented = meanings(ProcedureState)
    order = [*NEXT_STATES, *(state for state in ProcedureState if state.is_final)]
    rows = []
    for state in order:
        following = sorted(NEXT_STATES.get(state, ()), key=order.index)
        ends = () if state.is_final else (ProcedureState.STOPPED, ProcedureState.FAILED)
        names = ", ".join(each.name for each in (*following, *ends))
        rows.append((code(state.name), prose(documented[state.name]), names or "none: it is final"))
    return table(("state", "meaning", "states that may follow"), rows)


def _enumeration(title: str, kind: type[Enum]) -> str:
    documented = meanings(kind)
    numbered = issubclass(kind, IntEnum)
    rows = [
        ([str(member.value)] if numbered else []) + [code(member.name), prose(documented[member.name])]
        for member in kind
    ]
    head = ["number"] * numbered + ["name", "meaning"]
    return f"## {title}\n\n{prose(inspect.cleandoc(kind.__doc__ or ''))}\n\n{table(head, rows)}"


def meanings(kind: type[Enum]) -> dict[str, str]:
    """Return the docstring of each member of an enumeration, empty where there is none.

    :param kind: the enumeration, whose source is at hand
    """
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  # that is what the source of a class is
    found = {member.name: "" for member in kind}
    for before, after in zip(definition.body, definition.body[1:], strict=False):
        match before, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ) if name in found:
                found[name] = inspect.cleandoc(text)
    return found
