"""A script starts clean: nothing of the server, and nothing of the scripts before it, reaches it."""

import json
import logging
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import PrepareProcessCommand
from ska_oso_oet.procedure.domain import FileSystemScript, ProcedureInput, ProcedureState

LOOK = """
    import builtins, json, locale, warnings
    mask = os.umask(0)
    os.umask(mask)
    print(json.dumps({
        "environment": {name: value for name, value in os.environ.items() if name != "PWD"},
        "files": os.listdir("."),
        "umask": mask,
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "signals": [str(signal.getsignal(number)).split(" at ")[0] for number in (1, 2, 10, 14, 15, 17)],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "start method": multiprocessing.get_start_method(allow_none=True),
        "level": logging.getLogger().level,
        "disabled": logging.root.manager.disable,
        "handlers": len(logging.getLogger().handlers),
        "limits": [resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_NOFILE", "RLIMIT_AS")],
        "path": [entry for entry in sys.path],
        "modules": sorted(name for name in sys.modules if "evil" in name or "user_module" in name),
        "builtins": hasattr(builtins, "evil"),
        "topics": pub.getDefaultTopicMgr().getTopic("evil.topic", okIfNone=True) is not None,
        "nice": os.nice(0),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "hook": sys.excepthook is sys.__excepthook__,
    }, sort_keys=True))
"""
SPOIL = """
    import builtins, json, types
    open("left behind", "w").write("evil")
    os.chdir("/")
    os.environ.clear()
    os.environ["EVIL"] = "1"
    os.umask(0o777)
    sys.setrecursionlimit(100_000)
    sys.setswitchinterval(1)
    for number in (1, 2, 10, 14, 15, 17):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    multiprocessing.set_start_method("fork", force=True)
    logging.basicConfig(level=logging.CRITICAL, force=True, handlers=[])
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    sys.path.insert(0, "/evil")
    sys.modules["evil"] = types.ModuleType("evil")
    builtins.evil = True
    pub.sendMessage("evil.topic")
    pub.unsubAll()
    os.nice(5)
    threading.Thread(target=wait, daemon=True).start()
    sys.excepthook = None
"""


def look(bench: ScriptBench) -> dict[str, Any]:
    """Return what a script sees of the state of its process."""
    procedure_id = bench.run(script(LOOK))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    seen: dict[str, Any] = json.loads(bench.lines(procedure_id)[-1])
    return seen


def test_script_starts_as_the_readme_says(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script("""
            mask = os.umask(0)
            os.umask(mask)
            print(mask, sys.getrecursionlimit(), os.environ["PATH"], os.listdir("."))
            print(os.getsid(0) == os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, []))
            usual = (signal.SIG_DFL, signal.SIG_IGN)
            unusual = [n for n in signal.valid_signals() if signal.getsignal(n) not in usual]
            print(sorted(unusual) == sorted([signal.SIGTERM, signal.SIGINT]))
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    mask = os.umask(0o22)
    os.umask(mask)
    assert bench.lines(procedure_id) == [f"{mask} 1000 {os.environ['PATH']} []", "True set()", "True"]


@pytest.mark.parametrize("standby", [0, 1])
def test_what_a_script_changes_the_next_one_does_not_see(
    make_bench: Callable[..., ScriptBench], standby: int
) -> None:
    bench = make_bench(standby_workers=standby)
    before = look(bench)
    for end in ("", "os._exit(1)"):
        procedure_id = bench.run(script(f"{SPOIL}\n    {end}"))
        bench.wait_for_end(procedure_id)
    assert look(bench) == before


def test_what_a_script_changes_the_server_does_not_see(bench: ScriptBench) -> None:
    def state() -> tuple[Any, ...]:
        mask = os.umask(0o22)
        os.umask(mask)
        return (os.getcwd(), mask, sys.getrecursionlimit(), logging.getLogger().level,
                multiprocessing.get_start_method(allow_none=True), os.nice(0), list(sys.path))  # fmt: skip

    before, before_variables = state(), dict(os.environ)
    procedure_id = bench.run(script(SPOIL))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert state() == before
    assert dict(os.environ) == before_variables


def test_working_directory_is_the_scripts_own_and_goes_with_it(bench: ScriptBench) -> None:
    report = (
        "open('file', 'w').write('x')\nos.makedirs('a/b')\npub.sendMessage('user.place', place=os.getcwd())"
    )
    first, second = bench.ready(script(init=report)), bench.ready(script(init=report))
    places = [Path(event["place"]) for event in bench.of("user.place")]
    assert places[0] != places[1]
    assert all((place / "file").exists() for place in places)
    bench.stop(first)
    bench.stop(second)
    bench.service.shutdown()
    assert not any(place.exists() for place in places)


def test_working_directories_of_a_killed_server_are_removed(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    left = tmp_path / "state" / "run" / "1"
    left.mkdir(parents=True)
    (left / "data").write_text("x")
    bench = make_bench()
    procedure_id = bench.run(script("print(os.listdir('.'))"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["[]"]
    bench.service.shutdown()
    assert list((tmp_path / "state" / "run").iterdir()) == []


def test_environment_of_the_settings_reaches_scripts(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(environment={"TELESCOPE": "mid"})
    procedure_id = bench.run(script("print(os.environ['TELESCOPE'])"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["mid"]


def test_what_all_scripts_share_is_not_searched_for_garbage_by_each(bench: ScriptBench) -> None:
    """It would be copied by that, and take tens of milliseconds in the midst of an observation."""
    procedure_id = bench.run(script("print(len(gc.get_objects()), gc.get_freeze_count())", top="import gc"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    searched, left_out = map(int, bench.lines(procedure_id)[0].split())
    assert left_out > 10 * searched


def test_descriptors_of_the_server_are_not_inherited(bench: ScriptBench, tmp_path: Path) -> None:
    """Not even those that the server would let its own children have, nor those of other scripts."""
    mine = os.open(tmp_path / "secret", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(mine, True)
    report = """
        fds = [f"/proc/self/fd/{fd}" for fd in range(3, 100)]
        pub.sendMessage("user.fds", fds=[os.readlink(fd) for fd in fds if os.path.islink(fd)])
    """
    with socket.socket() as listener:
        listener.set_inheritable(True)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        try:
            ids = [bench.ready(script(init=report)) for _ in range(3)]
        finally:
            os.close(mine)
    seen = [event["fds"] for event in bench.of("user.fds")]
    assert len(seen) == len(ids)
    for fds in seen:
        assert not [fd for fd in fds if "secret" in fd or "socket" in fd or ".log" in fd]
        assert len(fds) < 20
    pipes = [{fd for fd in fds if fd.startswith("pipe:")} for fds in seen]
    tracker = pipes[0] & pipes[1] & pipes[2]
    assert len(tracker) <= 1, "scripts share pipes other than that of multiprocessing's resource tracker"
    assert (pipes[0] & pipes[1]) == tracker


AWKWARD_NAMES = ["environment", "name", "args", "self", "topic", "kwargs", "function", "msg_src", "path",
                 "script", "pid", "call", "process_id", "origin", "cls"]  # fmt: skip


@pytest.mark.parametrize("function", ["init", "main"])
def test_keyword_arguments_may_bear_any_name(bench: ScriptBench, function: str) -> None:
    body = "print(json.dumps(kwargs, sort_keys=True))"
    source = f"import json\ndef init(**kwargs):\n    {body}\ndef main(**kwargs):\n    {body}\n"
    arguments = ProcedureInput(**{name: [name] for name in AWKWARD_NAMES})
    procedure_id = bench.create(source, init=arguments if function == "init" else ProcedureInput())
    bench.wait_for_state(procedure_id, ProcedureState.READY)
    bench.start(procedure_id, arguments if function == "main" else ProcedureInput())
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    lines = bench.lines(procedure_id)
    assert json.loads(lines[0 if function == "init" else 1]) == {name: [name] for name in AWKWARD_NAMES}


def test_parameters_may_bear_any_name(bench: ScriptBench) -> None:
    names = ", ".join(AWKWARD_NAMES)
    procedure_id = bench.ready(f"def main({names}):\n    print({names})\n")
    bench.start(procedure_id, ProcedureInput(**{name: name for name in AWKWARD_NAMES}))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == [" ".join(AWKWARD_NAMES)]


def test_module_beside_a_script_is_found_and_not_by_the_next_script(
    bench: ScriptBench, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "helper.py").write_text(f"NAME = {name!r}\n")
        (tmp_path / name / "script.py").write_text("import helper\ndef main():\n    print(helper.NAME)\n")
        command = PrepareProcessCommand(
            FileSystemScript((tmp_path / name / "script.py").as_uri()), ProcedureInput()
        )
        procedure_id = bench.service.prepare(command).id
        bench.wait_for_state(procedure_id, ProcedureState.READY)
        bench.start(procedure_id)
        bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
        assert bench.lines(procedure_id) == [name]
