"""Use of a controller by people and programs: commands, summaries, refusals."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import tango
from tests.support.oet_stack import OetStack
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess

from ska_oso_oet.client import (
    CommandResult,
    Controller,
    ControllerError,
    DeviceAwayError,
    DeviceTimeoutError,
    InvalidRequestError,
    NotFoundError,
    NotOfferedError,
    RequestRejectedError,
    ResultCode,
    SyncController,
    command_ends,
)
from ska_oso_oet.model import (
    AdminMode,
    HealthState,
    ProcedureInput,
    ProcedureRequest,
    ProcedureState,
    ProcedureSummary,
)


@pytest.fixture
def oet(stack: OetStack) -> Iterator[SyncController]:
    with SyncController(stack.device) as oet:
        yield oet


def test_a_script_from_create_to_its_end(oet: SyncController, stack: OetStack) -> None:
    created = oet.create(stack.uri("burst"))
    prepared = oet.wait(created, PATIENCE)
    assert (prepared.code, prepared.message["state"]) == (ResultCode.OK, "READY")
    assert created.name == "Create"
    started = oet.start(created.subject, ProcedureInput(count=3))
    assert oet.wait(started, PATIENCE).ok
    procedure = oet.procedure(created.subject)
    assert procedure.state is ProcedureState.COMPLETE
    assert procedure.arguments["main"].kwargs == {"count": 3}
    assert procedure.id in [known.id for known in oet.procedures()]


def test_the_type_of_an_argument_is_asked_for_once(
    oet: SyncController, stack: OetStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    query = tango.DeviceProxy.command_query

    def counted(proxy: tango.DeviceProxy, name: str) -> tango.CommandInfo:
        asked.append(name)
        return query(proxy, name)

    monkeypatch.setattr(tango.DeviceProxy, "command_query", counted)
    created = oet.create(stack.uri("burst"))
    for _ in range(3):
        assert oet.procedure(created.subject).id == created.subject
    assert asked == ["Create", "DescribeProcedure"]
    # The device may be another one after an error: it is asked again.
    for _ in range(2):
        with pytest.raises(NotFoundError):
            oet.procedure(2**31 - 1)
    assert asked.count("DescribeProcedure") == 2
    oet.wait(created, PATIENCE)


def test_arguments_given_to_create_are_those_of_main(oet: SyncController, stack: OetStack) -> None:
    request = ProcedureRequest.model_validate(
        {"script_uri": stack.uri("burst"), "script_args": {"run": {"args": [2]}}}
    )
    created = oet.create(request)
    oet.wait(created, PATIENCE)
    oet.wait(oet.start(created.subject), 20)
    announced = [event.fields["msg"] for event in oet.past_events(topic="user.script.announce")]
    assert [text.split()[1] for text in announced[-2:]] == ["0", "1"]


def test_a_stop_is_waited_for_and_ends_the_start(oet: SyncController, stack: OetStack) -> None:
    created = oet.create(stack.uri("hold"))
    oet.wait(created, PATIENCE)
    started = oet.start(created.subject)
    stopped = oet.wait(oet.stop(created.subject, abort=True), 20)
    assert stopped.message.startswith(f"Successfully stopped script with ID {created.subject} and aborted")
    assert oet.wait(started, PATIENCE).code is ResultCode.ABORTED


def test_the_end_of_a_command_that_has_ended_is_known(oet: SyncController, stack: OetStack) -> None:
    created = oet.create(stack.uri("hold"))
    oet.wait(created, PATIENCE)
    with SyncController(stack.device) as another:
        assert another.wait(created.id, PATIENCE).ok
    oet.wait(oet.stop(created.subject), 20)


def test_the_controller_is_disabled_and_reset(oet: SyncController, stack: OetStack) -> None:
    assert (oet.status().state, oet.status().health_state) == ("ON", HealthState.OK)
    oet.set_admin_mode(AdminMode.OFFLINE)
    try:
        assert (oet.status().state, oet.status().admin_mode) == ("DISABLE", AdminMode.OFFLINE)
        with pytest.raises(RequestRejectedError, match="DISABLE"):
            oet.reset()
    finally:
        oet.set_admin_mode(AdminMode.ONLINE)
    assert oet.wait(oet.reset(), PATIENCE).ok
    created = oet.create(stack.uri("hold"))
    assert oet.status().last_procedure == created.subject
    oet.wait(oet.stop(created.subject), PATIENCE)


def test_waiting_has_an_end(oet: SyncController, stack: OetStack) -> None:
    created = oet.create(stack.uri("hold"))
    oet.wait(created, PATIENCE)
    started = oet.start(created.subject)
    with pytest.raises(DeviceTimeoutError, match="has not ended within 0"):
        oet.wait(started, 0.1)
    oet.wait(oet.stop(created.subject), 20)


def test_any_text_and_nothing_arrive_as_arguments(oet: SyncController, stack: OetStack) -> None:
    script = stack.scripts / "echo.py"
    script.write_text("def main(*args, **kwargs):\n    print(ascii((args, kwargs)))\n")
    created = oet.create(script.as_uri())
    oet.wait(created, PATIENCE)
    given = ProcedureInput("ü Ā 😀 \0", None, 1 << 62, a=None, b={"c": None})
    oet.wait(oet.start(created.subject, given), 20)
    assert oet.output(created.subject).lines == [ascii((tuple(given.args), given.kwargs))]
    for value in (float("nan"), object()):
        with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
            oet.start(created.subject, ProcedureInput(value))
    with pytest.raises(InvalidRequestError):
        oet.create("file:///Ā.py")


def test_refusals_say_what_is_wrong(oet: SyncController, stack: OetStack) -> None:
    with pytest.raises(InvalidRequestError, match=r"missing\.py"):
        oet.create((stack.scripts / "missing.py").as_uri())
    with pytest.raises(InvalidRequestError, match="no_such_argument"):
        oet.create(
            ProcedureRequest.model_validate(
                {
                    "script_uri": stack.uri("hold"),
                    "script_args": {"init": {"kwargs": {"no_such_argument": 1}}},
                }
            )
        )
    with pytest.raises(NotFoundError, match="PID=4711"):
        oet.procedure(4711)
    with pytest.raises(NotFoundError, match="restarted"):
        oet.wait("1.0_1_Start", PATIENCE)
    with pytest.raises(RequestRejectedError, match="Script is not running"):
        oet.stop(_ended(oet, stack))


def _ended(oet: SyncController, stack: OetStack) -> int:
    created = oet.create(stack.uri("hold"))
    oet.wait(created, PATIENCE)
    oet.wait(oet.stop(created.subject), 20)
    return created.subject


def test_a_controller_that_lacks_something_is_told_from_one_that_is_away(stack: OetStack) -> None:
    # The database is a device too, with none of a controller's commands.
    with (
        SyncController(stack.device.replace("mid-oet/controller/01", "sys/database/2")) as lacking,
        pytest.raises(NotOfferedError, match="update its device server"),
    ):
        lacking.activity(1)
    with (
        SyncController(stack.device.replace("/01", "/99")) as unknown,
        pytest.raises(DeviceAwayError, match="not defined in the database"),
    ):
        unknown.procedures()
    with (
        SyncController("tango://127.0.0.1:1/mid-oet/controller/01") as alone,
        pytest.raises(DeviceAwayError),
    ):
        alone.procedures()


def test_output_and_scripts(oet: SyncController, stack: OetStack) -> None:
    created = oet.create(stack.uri("abort"))
    oet.wait(created, PATIENCE)
    oet.wait(oet.start(created.subject, ProcedureInput(subarray_id=5)), 20)
    assert oet.output(created.subject).lines == ["aborting 5"]
    assert stack.uri("burst") in oet.scripts()


def test_the_synchronous_client_works_where_a_loop_runs_already(stack: OetStack) -> None:
    async def notebook_cell() -> int:
        with SyncController(stack.device) as oet, oet.events() as events:
            oet.create(stack.uri("hold"))
            created = next(event for event in events if event.topic.endswith("created"))
            oet.wait(oet.stop(created.fields["result"]["id"]), 20)
            return created.seq

    assert asyncio.run(notebook_cell()) > 0


def test_whoever_waits_hears_that_the_client_was_closed(stack: OetStack) -> None:
    oet = SyncController(stack.device)
    created = oet.create(stack.uri("hold"))
    oet.wait(created, PATIENCE)
    started = oet.start(created.subject)
    with ThreadPoolExecutor() as threads, oet.events() as events:
        waiting = threads.submit(oet.wait, started)
        assert oet.procedure(created.subject).state is ProcedureState.RUNNING
        oet.close()
        with pytest.raises(ControllerError, match="has been closed"):
            waiting.result(PATIENCE)
        with pytest.raises(ControllerError, match="has been closed"):
            next(events)
    with pytest.raises(ControllerError, match="has been closed"):
        oet.procedures()
    with SyncController(stack.device) as another:
        another.wait(another.stop(created.subject), 20)


def test_a_wait_outlasts_a_device_that_is_too_busy_to_answer(
    stack: OetStack, controller: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_ends, "_CHECK_PERIOD", 0.05)
    looks = asyncio.Queue[str | None]()

    async def wait_while_it_hangs() -> CommandResult:
        def note(call: str, _: float, error: ControllerError | None) -> None:
            looks.put_nowait(call if isinstance(error, DeviceTimeoutError) else None)

        async with Controller(stack.device, timeout=0.5, observer=note) as oet:
            created = await oet.create(stack.uri("hold"))
            await oet.wait(created, PATIENCE)
            started = await oet.start(created.subject)
            waiting = asyncio.create_task(oet.wait(started, PATIENCE))
            with controller.hanging():
                while await asyncio.wait_for(looks.get(), 10) != "CheckLongRunningCommandStatus":
                    pass
            await oet.stop(created.subject)
            return await waiting

    assert asyncio.run(wait_while_it_hangs()).code is ResultCode.ABORTED


def test_many_may_ask_at_the_same_time(stack: OetStack) -> None:
    async def ask() -> list[list[ProcedureSummary]]:
        async with Controller(stack.device, timeout=PATIENCE) as oet:
            return await asyncio.gather(*(oet.procedures() for _ in range(400)))

    assert len(asyncio.run(ask())) == 400


def test_a_device_that_hangs_does_not_hold_up_the_loop(stack: OetStack, controller: ServerProcess) -> None:
    async def call_while_it_hangs() -> None:
        async with Controller(stack.device) as oet:
            await oet.ping()
            with controller.hanging():
                calls = [asyncio.create_task(oet.procedures()) for _ in range(3)]
                for _ in range(1000):
                    await asyncio.sleep(0)
                assert not any(call.done() for call in calls)
            await asyncio.gather(*calls)

    asyncio.run(call_while_it_hangs())
