"""Time that a procedure may wait to be started, where its start is refused meanwhile."""

import asyncio
from pathlib import Path

from ska_oso_oet.model import EmbeddedStringScript, ProcedureInput, ProcedureState
from ska_oso_oet.procedure.domain import ExecutorSettings
from ska_oso_oet.procedure.execution.live_procedures import LiveProcedures
from ska_oso_oet.procedure.execution.output import OutputLog
from ska_oso_oet.procedure.execution.procedure import Call, Procedure, ProcedurePlan
from ska_oso_oet.procedure.execution.ready_limit import ReadyLimits

LIMIT = 0.02


def test_one_whose_start_is_refused_after_its_time_is_stopped_then(tmp_path: Path) -> None:
    async def stops() -> tuple[list[int], list[int]]:
        stopped: list[int] = []
        limits = ReadyLimits(
            ExecutorSettings(tmp_path, ready_timeout=LIMIT),
            LiveProcedures(lambda: None),
            lambda number, reason: stopped.append(number),
        )
        plan = ProcedurePlan(EmbeddedStringScript(""), None, ProcedureInput(), None)
        procedure = Procedure(1, plan, OutputLog(tmp_path, 1), tmp_path, lambda *_: None)
        procedure.state = ProcedureState.READY
        limits.on_state(procedure)
        # Its process checks the arguments of the call.
        procedure.main = Call("main", ProcedureInput())
        await asyncio.sleep(LIMIT)
        while_asked = list(stopped)
        procedure.main = None
        await asyncio.sleep(LIMIT)
        return while_asked, stopped

    assert asyncio.run(stops()) == ([], [1])
