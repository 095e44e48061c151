"""Requests over HTTP, beside the Tango commands that they make."""

import time
from collections.abc import Callable, Iterator

import httpx
from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Row, Unit, at_most
from tests.benchmarks.rows.starts import SCRIPT, oet_answered
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.oet import SCRIPTS

_BODY = {"script": {"script_type": "filesystem", "script_uri": (SCRIPTS / f"{SCRIPT}.py").as_uri()}}


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the requests that create, start and list procedures."""
    with httpx.Client(base_url=f"http://127.0.0.1:{bench.stack.rest_port}/api/v1.0") as client:
        plan = bench.plan(blocks=20, block_size=5)
        yield Row.of(
            "POST /procedures, answered",
            Unit.MILLISECONDS,
            compare(_post(bench, client), _create(bench), plan),
            "Create, answered",
            (at_most(2),),
            "it makes two calls, Create and DescribeProcedure",
        )
        yield Row.of(
            "PUT /procedures/{id}, RUNNING, answered",
            Unit.MILLISECONDS,
            compare(_put(bench, client), oet_answered(bench), plan),
            "Start, answered",
            (at_most(2),),
            "it makes two calls, Start and DescribeProcedure",
        )
        yield Row.of(
            "GET /procedures",
            Unit.MILLISECONDS,
            compare(
                _timed(lambda: client.get("/procedures").raise_for_status()),
                _timed(lambda: bench.controller.proxy.read_attribute("procedures")),
                bench.plan(blocks=20, block_size=20, warm_up=20),
            ),
            "attribute procedures",
            (),
            "the procedures that the controller lists, which are ten that have ended",
        )


def _create(bench: Bench) -> Probe:
    return _created(bench, lambda: bench.controller.send("Create", _BODY))


def _post(bench: Bench, client: httpx.Client) -> Probe:
    return _created(bench, lambda: client.post("/procedures", json=_BODY).raise_for_status())


def _created(bench: Bench, create: Callable[[], object]) -> Probe:
    """Return a probe that measures how many milliseconds it takes until a procedure is created."""
    timed = _timed(create)

    def probe() -> float:
        bench.wait_for_standby()
        took = timed()
        bench.controller.reached("READY")
        # In one of the two cases, another client has created it.
        bench.controller.send("Start", str(_last(bench)))
        bench.controller.reached("COMPLETE")
        return took

    return probe


def _put(bench: Bench, client: httpx.Client) -> Probe:
    """Return a probe that measures how many milliseconds it takes to start a procedure."""

    def probe() -> float:
        bench.controller.create(SCRIPT)
        bench.wait_for_standby()
        path, body = f"/procedures/{_last(bench)}", {"state": "RUNNING"}
        took = _timed(lambda: client.put(path, json=body).raise_for_status())()
        bench.controller.reached("COMPLETE")
        return took

    return probe


def _last(bench: Bench) -> int:
    """Return the ID of the procedure that was created last."""
    number: int = bench.controller.proxy.read_attribute("lastProcedure").value
    return number


def _timed(action: Callable[[], object]) -> Probe:
    """Return a probe that measures how many milliseconds an action takes."""

    def probe() -> float:
        began = time.monotonic_ns()
        action()
        return (time.monotonic_ns() - began) / 1e6

    return probe
