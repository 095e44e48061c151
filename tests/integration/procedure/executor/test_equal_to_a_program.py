"""A script writes the same, to its output and to files, as Python writes that runs it as a program."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.support.measurement import UNMEASURED
from tests.support.patience import PATIENCE
from tests.support.script_bench import ScriptBench

from ska_oso_oet.procedure.domain import ProcedureState

SCRIPTS = {
    "a hook for exceptions": """
        import sys
        def hook(kind, error, trace):
            while trace.tb_next: trace = trace.tb_next
            print(kind.__name__, error, trace.tb_frame.f_code.co_name)
        sys.excepthook = hook
        def main(): raise ValueError("too much wind")
    """,
    "a hook that fails": """
        import sys
        def hook(*args): raise KeyError("no")
        sys.excepthook = hook
        def main(): print("in main"); raise ValueError("too much wind")
    """,
    "the last exception, at the end": """
        import atexit, sys
        atexit.register(lambda: print(sys.last_type.__name__, sys.last_value, bool(sys.last_traceback)))
        def main(): raise ValueError("too much wind")
    """,
    "hooks for threads and for __del__": """
        import sys, threading
        threading.excepthook = lambda args: print("thread", args.exc_type.__name__, args.thread.name)
        sys.unraisablehook = lambda args: print("del", args.exc_type.__name__)
        class Mount:
            def __del__(self): raise OSError
        def main():
            Mount()
            thread = threading.Thread(target=int, args=("x",), name="poller")
            thread.start()
            thread.join()
    """,
    "an exit with a message": "import sys\ndef main(): print('parked'); sys.exit('too much wind')",
    "an exit with an object": "import sys\ndef main(): sys.exit(['wind', 1])",
    "an exit with a status": "import sys\ndef main(): print('parked'); sys.exit(3)",
    "the names in its module": """
        import sys, types
        def main():
            module = sys.modules["__main__"]
            print(vars(module) is globals(), __builtins__.__name__, __cached__, __spec__, __package__)
            print([each.name for each in (sys.stdin, sys.stdout, sys.stderr)])
            print(sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stdin is sys.__stdin__)
    """,
    "main of a class with __call__": """
        class Observer:
            def __call__(self, scans: int = 2): print(scans, type(self).__module__)
        main = Observer()
    """,
    "main decorated": """
        import contextlib, functools
        from unittest import mock
        @contextlib.contextmanager
        def locked():
            print("locked"); yield; print("free")
        @locked()
        @mock.patch("os.getcwd", return_value="elsewhere")
        def main(getcwd): print(getcwd())
    """,
    "main made by exec": "exec('def main():\\n    print(__name__)')",
    "main of a class": """
        class Meta(type):
            def __call__(cls, *args): print("made"); return super().__call__(*args)
        class main(metaclass=Meta):
            def __init__(self): print("initialised")
    """,
    "pickles": """
        import copy, dataclasses, enum, pickle
        @dataclasses.dataclass
        class Target: ra: float
        class Band(enum.Enum): B1 = 1
        class PointingError(Exception): pass
        def main():
            print(pickle.dumps([Target(1.0), Band.B1, PointingError("x"), main]))
            print(pickle.loads(pickle.dumps(Target(1.0))), copy.deepcopy(Band.B1) is Band.B1, Target)
    """,
    "a manager and its proxies": """
        import multiprocessing
        from multiprocessing.managers import BaseManager
        class Counter:
            count = 0
            def add(self): self.count += 1; return self.count
        class Counters(BaseManager): pass
        Counters.register("Counter", Counter)
        def add(proxy): proxy.add()
        def main():
            with Counters() as manager:
                counter = manager.Counter()
                children = [multiprocessing.Process(target=add, args=(counter,)) for _ in range(3)]
                for each in children: each.start()
                for each in children: each.join()
                print(counter.add())
    """,
    "pools of pools": """
        import multiprocessing
        def leaf(queue): queue.put("leaf")
        def middle(queue):
            child = multiprocessing.get_context("spawn").Process(target=leaf, args=(queue,))
            child.start(); child.join(); queue.put("middle")
        def main():
            queue = multiprocessing.get_context("spawn").Queue()
            child = multiprocessing.get_context("spawn").Process(target=middle, args=(queue,))
            child.start(); print(queue.get(), queue.get()); child.join()
    """,
    "shared memory": """
        import multiprocessing
        from multiprocessing import shared_memory
        def fill(name):
            memory = shared_memory.SharedMemory(name=name); memory.buf[:4] = b"scan"; memory.close()
        def main():
            memory = shared_memory.SharedMemory(create=True, size=8)
            child = multiprocessing.get_context("spawn").Process(target=fill, args=(memory.name,))
            child.start(); child.join()
            print(bytes(memory.buf[:4])); memory.close(); memory.unlink()
    """,
    "a child that is left": """
        import multiprocessing, time
        def work(): time.sleep(0.3); print("child", flush=True); open("child", "w").write("done")
        def forever(): time.sleep(60)
        def main():
            multiprocessing.Process(target=work).start()
            multiprocessing.Process(target=forever, daemon=True).start()
            print("main", flush=True)
    """,
    "a pool that is left": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        def main():
            global pool, executor
            pool, executor = multiprocessing.Pool(2), ProcessPoolExecutor(2)
            print(pool.map(abs, [-1]), list(executor.map(abs, [-2])))
    """,
    "the order of exit functions": """
        import atexit, threading, weakref
        class Mount:
            def __init__(self, name): self.name = name
            def __del__(self): print("del", self.name, flush=True)
        first, second = Mount("first"), Mount("second")
        weakref.finalize(first, print, "finalized", flush=True)
        atexit.register(lambda: atexit.register(print, "registered at the end", flush=True))
        atexit.register(print, "one", flush=True)
        def late():
            threading.main_thread().join(); print("main thread ended", flush=True)
        def main():
            atexit.register(print, "two", flush=True)
            threading.Thread(target=late).start()
    """,
    "what an object needs when it ends": """
        import json
        import numpy.polynomial.polynomial as late
        class Beam:
            def __del__(self):
                print(json.dumps(["gain", self.gain(2.0, [1.0, 1.0])]), flush=True)
        def observe(beam=Beam()): pass
        observe.__defaults__[0].gain = late.polyval
        def main(): print("main", flush=True)
    """,
    "files that nobody closes": """
        import bz2, csv, gzip, io, lzma, tarfile, zipfile
        files = []
        def main():
            files.append(open("a.bin", "wb", buffering=1 << 20)); files[-1].write(b"x" * 1000)
            files.append(open("b.csv", "w")); csv.writer(files[-1]).writerows([[1, 2], [3, 4]])
            files.append(io.TextIOWrapper(io.BufferedWriter(io.FileIO("c.txt", "w")), "utf-16"))
            files[-1].write("wide")
            files.append(bz2.open("d.bz2", "wt")); files[-1].write("packed")
            files.append(lzma.open("e.xz", "wt")); files[-1].write("packed")
            files.append(zipfile.ZipFile("f.zip", "w")); files[-1].writestr(zipfile.ZipInfo("x"), "y")
            files.append(io.BufferedRandom(io.FileIO("g.bin", "w+"))); files[-1].write(b"random")
    """,
    "generators and temporary files that are left": """
        import contextlib, os, tempfile
        @contextlib.contextmanager
        def locked():
            try: yield
            finally: print("free", flush=True)
        def steps():
            with open("steps", "w") as file:
                file.write("one step"); yield
        def main():
            global kept
            kept = [locked(), steps(), tempfile.NamedTemporaryFile(dir=".")]
            kept.append(tempfile.TemporaryDirectory(dir="."))
            kept[0].__enter__(); next(kept[1]); print(len(os.listdir(".")))
    """,
    "a database": """
        import sqlite3
        def main():
            global db
            db = sqlite3.connect("scans.db"); db.execute("create table scans (number)")
            db.execute("insert into scans values (1)"); db.commit()
            db.execute("insert into scans values (2)")
            print(list(sqlite3.connect("scans.db").execute("select * from scans")))
    """,
    "handlers of logging that hold back": """
        import logging, logging.handlers, queue
        logging.basicConfig(level="DEBUG", format="%(levelname)s %(processName)s %(message)s")
        def main():
            memory = logging.handlers.MemoryHandler(100, target=logging.FileHandler("memory.log"))
            logging.getLogger("memory").addHandler(memory); logging.getLogger("memory").info("kept")
            waiting = queue.Queue()
            listener = logging.handlers.QueueListener(waiting, logging.FileHandler("queue.log"))
            listener.start(); logger = logging.getLogger("queue"); logger.propagate = False
            logger.addHandler(logging.handlers.QueueHandler(waiting)); logger.warning("queued")
            listener.stop()
    """,
    "logging by a dictionary": """
        import logging, logging.config
        logging.config.dictConfig({
            "version": 1, "formatters": {"short": {"format": "%(levelname)s %(funcName)s %(message)s"}},
            "handlers": {
                "out": {"class": "logging.StreamHandler", "formatter": "short", "stream": "ext://sys.stdout"},
                "file": {"class": "logging.handlers.RotatingFileHandler", "filename": "run.log",
                         "maxBytes": 60, "backupCount": 2, "formatter": "short"}},
            "root": {"level": "DEBUG", "handlers": ["out", "file"]}})
        def main():
            for scan in range(4): logging.debug("scan %d", scan)
    """,
    "warnings and their capture": """
        import logging, sys, warnings
        logging.basicConfig(stream=sys.stdout, format="%(name)s %(levelname)s")
        def main():
            warnings.warn("old", DeprecationWarning); warnings.warn("careful")
            warnings.warn("quiet", ResourceWarning)
            logging.captureWarnings(True); warnings.warn("captured")
    """,
    "groups of tasks": """
        import asyncio
        async def scan(number):
            await asyncio.sleep(60 * number); print("scan", number)
            raise ValueError("too much wind")
        async def clouds():
            try:
                while True: yield 0.5
            finally: print("shut", flush=True)
        async def observe():
            async for _ in clouds(): break
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(4): group.create_task(scan(number))
            except* ValueError as errors: print(errors.exceptions)
            print(await asyncio.to_thread(int, "4"))
        def main(): asyncio.run(observe()); asyncio.run(asyncio.sleep(0))
    """,
    "signals": """
        import os, signal, threading, time
        def note(number, frame): print(signal.Signals(number).name, flush=True)
        def main():
            print([signal.getsignal(each) for each in (signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1)])
            for each in (signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM): signal.signal(each, note)
            os.kill(os.getpid(), signal.SIGUSR1); os.kill(os.getpid(), signal.SIGTERM)
            signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(0.1)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR2)).start()
            print(signal.sigwait([signal.SIGUSR2]))
            try: os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
            except KeyboardInterrupt: print("interrupted")
    """,
    "groups of exceptions, notes and causes": """
        def main():
            try:
                try: {}["mount"]
                except KeyError as error: raise OSError(2, "no mount") from error
            except OSError as error: found = error
            found.add_note("look at the mount")
            raise ExceptionGroup("all of it", [found, ExceptionGroup("more", [ValueError(1)])])
    """,
    "an endless recursion": "def main(scan=0): main(scan + 1)",
    "a profile, a trace and a timer": """
        import cProfile, sys, timeit, tracemalloc
        def main():
            profile = cProfile.Profile(); profile.runcall(sum, [1]); calls = []
            sys.settrace(lambda frame, event, arg: calls.append(event)); f(); sys.settrace(None)
            tracemalloc.start(); print(calls, timeit.timeit("f()", "from __main__ import f", number=3) > 0)
        def f(): pass
    """,
    "its own source, by other tools": """
        import doctest, inspect, pathlib, runpy, subprocess, sys
        def double(scans):
            \"\"\"
            >>> double(2)
            4
            \"\"\"
            return 2 * scans
        def main():
            print(doctest.testmod(), inspect.getsource(double).splitlines()[0])
            print(inspect.getmodule(main).__name__)
            pathlib.Path("beside.py").write_text("SCANS = 2")
            pathlib.Path("other.py").write_text("import beside, sys; print(__name__, beside.SCANS, sys.argv)")
            runpy.run_path("beside.py", run_name="__main__")
            subprocess.run([sys.executable, "other.py", "word"])
    """,
    "a fork": """
        import atexit, os
        atexit.register(print, "end", flush=True)
        def main():
            if (child := os.fork()) == 0: print("child", flush=True); return
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    """,
    "a fork with a message": """
        import os, sys
        def main():
            if (child := os.fork()) == 0: sys.exit("no mount")
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    """,
    "streams that are replaced, and what C writes": """
        import contextlib, ctypes, io, sys
        class Both(io.TextIOBase):
            def __init__(self, stream): self.stream, self.file = stream, open("copy", "w")
            def write(self, text): self.file.write(text); return self.stream.write(text)
        def main():
            with contextlib.redirect_stdout(io.StringIO()) as text: print("hidden")
            print(text.getvalue(), end="", file=sys.stderr)
            sys.stdout = Both(sys.stdout); print("to both"); sys.stdout = sys.__stdout__; print("to one")
            sys.stdout.buffer.write(b"caf\\xc3\\xa9\\n"); sys.stdout.flush()
            ctypes.CDLL(None).printf(b"from C\\n"); ctypes.CDLL(None).fflush(None)
    """,
    "shared memory that is left": """
        from multiprocessing import shared_memory
        def main():
            memory = shared_memory.SharedMemory(create=True, size=8, name="test_oet_left")
            memory.close(); print("left")
    """,
}


def program(text: str, folder: Path) -> Path:
    """Write a script that Python can run as a program."""
    path = folder / "observe_it.py"
    path.write_text(f'{textwrap.dedent(text).strip()}\n\nif __name__ == "__main__":\n    main()\n')
    return path


def comparable(text: str) -> list[str]:
    """Return the lines of an output, without what differs from run to run, and the call of main."""
    text = re.sub(r"[ |]*File \"[^\"]*\", line \d+, in <module>\n[ |]*main\(\)\n", "", text)
    text = re.sub(r"\[Previous line repeated \d+ more times\]", "", text)
    return sorted(re.sub(r"0x[0-9a-f]{6,}", "", text).splitlines())


def files_in(folder: Path) -> dict[str, int]:
    """Return the sizes of the files in a folder."""
    files = [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    return {str(file.relative_to(folder)): file.stat().st_size for file in files}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_script_does_what_a_program_does(patient_bench: ScriptBench, tmp_path: Path, kind: str) -> None:
    script = program(SCRIPTS[kind], tmp_path)
    (tmp_path / "program").mkdir()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **UNMEASURED}
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path / "program",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        check=False,
    )
    procedure_id = patient_bench.run(script)
    summary = patient_bench.wait_for_end(procedure_id)
    assert (summary.state is ProcedureState.COMPLETE) == (ended.returncode == 0), summary.history.stacktrace
    written = ended.stdout.decode()
    output = "".join(f"{line}\n" for line in patient_bench.lines(procedure_id))
    trace = summary.history.stacktrace or ""
    # Python writes the trace to the output, unless the script has its own way to show an exception.
    if "Error in sys.excepthook" in written:
        written, output = (each.partition("Error in sys.excepthook")[0] for each in (written, output))
    elif "Traceback" in written:
        output += trace
    assert comparable(output) == comparable(written)
    assert {file.name: file.size for file in summary.files if "__pycache__" not in file.name} == files_in(
        tmp_path / "program"
    )
