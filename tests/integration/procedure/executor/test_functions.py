"""The functions of a script: looked up when they are called, of whatever kind they are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import StartProcessCommand
from ska_oso_oet.procedure.domain import (
    ArgumentsError,
    FileSystemScript,
    ProcedureInput,
    ProcedureState,
    ScriptDefectiveError,
    StateForbidsError,
)

OBSERVE = """
import functools, sys
def observe(dish, target=None, scans=2):
    print(dish, target, scans)
"""

# Ways in which init binds main; afterwards, main takes a target and a number of scans.
BINDINGS = {
    "global": "def init(dish):\n    global main\n    main = functools.partial(observe, dish)\n",
    "globals": "def init(dish):\n    globals()['main'] = functools.partial(observe, dish)\n",
    "a helper": "def bind(it):\n    global main\n    main = it\n"
    "def init(dish): bind(lambda target=None, scans=2: observe(dish, target, scans))\n",
    "its module": "def init(dish):\n    sys.modules[__name__].main = functools.partial(observe, dish)\n",
    "an object": "class Main:\n    def __init__(self, dish): self.dish = dish\n"
    "    def __call__(self, target=None, scans=2): observe(self.dish, target, scans)\n"
    "def init(dish):\n    global main\n    main = Main(dish)\n",
    "a decorated function": "def init(dish):\n    global main\n    @functools.wraps(observe)\n"
    "    def main(*args, **kwargs): observe(dish, *args, **kwargs)\n    del main.__wrapped__\n"
    "    main.__wrapped__ = functools.partial(observe, dish)\n",
}
# What main is before.
BEFORE = {
    "nothing": "",
    "all that is needed": "def main(dish, target): raise RuntimeError('not rebound')\n",
    "whatever": "def main(*args, **kwargs): raise RuntimeError('not rebound')\n",
    "a class": "class main: pass\n",
}


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("before", BEFORE)
def test_start_calls_the_main_that_init_has_bound(bench: ScriptBench, before: str, binding: str) -> None:
    source = OBSERVE + BEFORE[before] + BINDINGS[binding]
    procedure_id = bench.create(source, ProcedureInput(dish=5), ProcedureInput(target="Vega"))
    bench.wait_for_state(procedure_id, ProcedureState.READY)
    with pytest.raises(ArgumentsError, match=r"main\(\) do not fit: .*'wrong'; the script defines main\("):
        bench.start(procedure_id, ProcedureInput(wrong=1))
    assert bench.states(procedure_id)[-1] == "READY"
    bench.service.start(StartProcessCommand(procedure_id, "main", ProcedureInput("Deneb", scans=3)))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["5 Deneb 3"]


@pytest.mark.parametrize(
    "source",
    [
        "def init(): pass\n",
        "def main(): pass\ndef init():\n    global main\n    del main\n",
        "def main(): pass\ndef init():\n    global main\n    main = 'observe'\n",
    ],
)
def test_start_without_main_is_refused_and_leaves_the_procedure_ready(
    bench: ScriptBench, source: str
) -> None:
    procedure_id = bench.ready(source)
    with pytest.raises(StateForbidsError, match=rf"procedure {procedure_id} has no function main\(\)"):
        bench.start(procedure_id)
    assert bench.states(procedure_id)[-1] == "READY"
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED


def test_start_before_ready_fails_with_the_same_sentences(bench: ScriptBench, tmp_path: Path) -> None:
    requested = tmp_path / "requested"
    os.mkfifo(requested)
    wait = f"def init():\n    open({str(requested)!r}).read()\n"
    for source, reason in (
        (wait, "has no function main()"),
        (f"{wait}    global main\n    main = lambda: 1\n", "the arguments of main() do not fit"),
    ):
        procedure_id = bench.create(source)
        command = StartProcessCommand(procedure_id, "main", ProcedureInput(target="Vega"), force_start=True)
        bench.service.start(command)
        requested.write_text("by a client")
        assert reason in bench.failure_of(procedure_id)


def test_builtin_as_main_takes_what_it_takes(bench: ScriptBench) -> None:
    procedure_id = bench.ready("def init():\n    global main\n    main = print\n")
    bench.start(procedure_id, ProcedureInput("a", "b", sep="-"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["a-b"]


def test_arguments_that_cannot_fit_are_still_refused_at_create(bench: ScriptBench) -> None:
    with pytest.raises(ScriptDefectiveError, match=r"has no function main\(\)"):
        bench.create("def observe(): pass\n")
    with pytest.raises(ArgumentsError, match="'target'"):
        bench.create("def init(): pass\ndef main(target): pass\n", main=ProcedureInput())


def test_arguments_that_do_not_fit_a_decorated_main_fail_it_before_its_init(bench: ScriptBench) -> None:
    source = script(init="print('moving dishes')", top="import functools").replace(
        "def main():", "@functools.cache\ndef main():"
    )
    procedure_id = bench.create(source, main=ProcedureInput("Vega"))
    assert "the arguments of main() do not fit" in bench.failure_of(procedure_id)
    assert bench.lines(procedure_id) == []


DECORATED = """
import functools
def with_telescope(function):
    @functools.wraps(function)
    def inner(*args, **kwargs): return function(*args, telescope="mid", **kwargs)
    return inner
def for_subarray(function):
    @functools.wraps(function)
    def inner(subarray_id: int): return function(f"subarray {subarray_id}")
    return inner
@with_telescope
def main(target: str, telescope: str, scans: int = 1): print(target, telescope, scans)
"""


def test_a_decorator_supplies_arguments(bench: ScriptBench) -> None:
    procedure_id = bench.ready(DECORATED)
    with pytest.raises(ArgumentsError, match="scans is 'many'"):
        bench.start(procedure_id, ProcedureInput("Vega", scans="many"))
    with pytest.raises(ArgumentsError, match="unexpected keyword argument 'star'"):
        bench.start(procedure_id, ProcedureInput(star="Vega"))
    bench.start(procedure_id, ProcedureInput("Vega", scans=2))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["Vega mid 2"]


def test_a_decorator_has_parameters_of_its_own(bench: ScriptBench) -> None:
    procedure_id = bench.ready(f"{DECORATED}@for_subarray\ndef main(subarray): print(subarray)\n")
    with pytest.raises(ArgumentsError, match="missing a required argument: 'subarray_id'"):
        bench.start(procedure_id)
    bench.start(procedure_id, ProcedureInput(subarray_id=3))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["subarray 3"]


# Steps

STEPPED = {
    "generator": "def {name}():\n  for scan in range(3):\n    print(scan)\n    yield\n  print('done')\n",
    "asynchronous generator": "import asyncio\nasync def {name}():\n    for scan in range(3):\n"
    "        await asyncio.sleep(0)\n        print(scan)\n        yield scan\n    print('done')\n",
    "coroutine": "import asyncio\nasync def {name}():\n    for scan in range(3):\n"
    "        await asyncio.sleep(0)\n        print(scan)\n    print('done')\n",
    "awaitable": "class {name}:\n    def __await__(self):\n        for scan in range(3):\n"
    "            print(scan)\n            yield\n        print('done')\n",
    "partial of a generator": "import functools\ndef steps(scans):\n    for scan in range(scans):\n"
    "        print(scan)\n        yield scan\n    print('done')\n    return scans\n"
    "{name} = functools.partial(steps, 3)\n",
}


@pytest.mark.parametrize("name", ["main", "init"])
@pytest.mark.parametrize("kind", STEPPED)
def test_function_of_steps_is_run_to_its_end(bench: ScriptBench, kind: str, name: str) -> None:
    source = STEPPED[kind].format(name=name)
    procedure_id = bench.ready(source if name == "main" else f"{source}\ndef main(): print('main')\n")
    bench.start(procedure_id)
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["0", "1", "2", "done", *(["main"] if name == "init" else [])]


def test_failure_in_a_step_shows_the_line_of_the_script(bench: ScriptBench) -> None:
    procedure_id = bench.run("def main():\n    yield\n    raise ValueError('no beam')\n")
    trace = bench.failure_of(procedure_id)
    assert "in main\n    raise ValueError('no beam')" in trace
    assert "functions.py" not in trace


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("def", "say('up')\n    while True: yield"),
        ("def", "yield\n    say('up')\n    wait()"),
        ("async def", "yield\n    say('up')\n    await asyncio.Event().wait()"),
    ],
    ids=["between two steps", "within a step", "asynchronous"],
)
def test_stop_closes_a_function_of_steps(bench: ScriptBench, kind: str, step: str) -> None:
    body = f"{kind} main():\n  try:\n    {step}\n  finally:\n    print('stowed')\n"
    source = script(top="import asyncio").replace("def main():\n    pass\n", body)
    procedure_id = bench.run_until_said(source)
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    assert bench.lines(procedure_id) == ["stowed"]


# The abort script

ABORTS = {
    "init that binds main": "import functools\ndef init(subarray_id):\n    global main\n"
    "    main = functools.partial(_abort, subarray_id)\n"
    "def _abort(subarray_id): print('aborting', subarray_id)\n",
    "init alone names it": "def init(subarray_id):\n    global which\n    which = subarray_id\n"
    "def main(**options): print('aborting', which, *options)\n",
    "main names it": "def init(): pass\ndef main(subarray_id): print('aborting', subarray_id)\n",
    "both name it": "def init(subarray_id): pass\ndef main(*, subarray_id): print('aborting', subarray_id)\n",
    "main takes anything": "def init(): pass\ndef main(**given): print('aborting', given['subarray_id'])\n",
    "a decorated init": "import functools\n@functools.cache\ndef init(subarray_id):\n    global which\n"
    "    which = subarray_id\ndef main(): print('aborting', which)\n",
}


@pytest.mark.parametrize("form", ABORTS)
def test_abort_script_gets_the_subarray_where_it_takes_it(
    make_bench: Callable[..., ScriptBench], tmp_path: Path, form: str
) -> None:
    path = tmp_path / "abort.py"
    path.write_text(ABORTS[form])
    bench = make_bench(service={"abort_script": FileSystemScript(path.as_uri())})
    procedure_id = bench.ready(script("say('up')\nwait()").replace("def main()", "def main(subarray_id)"))
    bench.start(procedure_id, ProcedureInput(subarray_id=3))
    bench.wait_for(lambda: bench.said(procedure_id))
    outcome = bench.stop(procedure_id, abort=True)
    assert outcome.abort is not None, outcome.message
    assert bench.lines(outcome.abort.id) == ["aborting 3"]
    assert outcome.abort.state is ProcedureState.COMPLETE
