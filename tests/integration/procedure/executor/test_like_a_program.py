"""The process of a script is like that of a program: arguments, logging, imports, its source."""

from pathlib import Path

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.domain import ProcedureState


def complete(bench: ScriptBench, source: str | Path) -> list[str]:
    """Run a script, which is to be COMPLETE, and return what it has written."""
    procedure_id = bench.run(source)
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    return bench.lines(procedure_id)


def test_the_arguments_are_the_path_and_nothing_else(patient_bench: ScriptBench, tmp_path: Path) -> None:
    text = (
        "import argparse, sys\ndef main():\n    argparse.ArgumentParser().parse_args()\n    print(sys.argv)\n"
    )
    file = tmp_path / "options.py"
    file.write_text(text)
    assert complete(patient_bench, file) == [str([str(file)])]
    assert complete(patient_bench, text) == ["['<embedded script>']"]


def test_basic_config_counts(patient_bench: ScriptBench, tmp_path: Path) -> None:
    log = tmp_path / "observation.log"
    lines = complete(
        patient_bench,
        script(
            "logging.debug('fine'); logging.getLogger('dish').warning('coarse')",
            top="logging.basicConfig(level=logging.DEBUG, format='%(levelname)s|%(name)s|%(message)s')",
        ),
    )
    assert lines == ["DEBUG|root|fine", "WARNING|dish|coarse"]
    lines = complete(
        patient_bench,
        script(
            f"""
            logging.basicConfig(filename={str(log)!r}, level="ERROR")
            logging.info("no")
            logging.error("yes")
            """
        ),
    )
    assert lines == []
    assert log.read_text() == "ERROR:root:yes\n"


def test_logging_that_is_not_configured_has_times_and_names(patient_bench: ScriptBench) -> None:
    lines = complete(
        patient_bench,
        script("logging.debug('no'); logging.info('slewing'); logging.getLogger('dish').info('parked')"),
    )
    assert [line.split(maxsplit=2)[2] for line in lines] == ["INFO root: slewing", "INFO dish: parked"]


def test_a_handler_of_the_scripts_own_is_the_only_one(patient_bench: ScriptBench) -> None:
    lines = complete(
        patient_bench,
        script("logging.getLogger().addHandler(logging.StreamHandler(sys.stdout)); logging.info('once')"),
    )
    assert lines == ["once"]


def test_modules_beside_a_script_come_first(patient_bench: ScriptBench, tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("def choice(_): return 'the one beside the script'\n")
    file = tmp_path / "chooses.py"
    file.write_text(
        "import random, sys\ndef main():\n    print(random.choice([1]))\n    print(sys.path[0])\n"
    )
    assert complete(patient_bench, file) == ["the one beside the script", str(tmp_path)]


def test_the_working_directory_is_not_imported_from(patient_bench: ScriptBench) -> None:
    lines = complete(
        patient_bench,
        script("""
            open("queue.py", "w").write("raise SystemExit('imported')")
            open("beside_nobody.py", "w").write("raise SystemExit('imported')")
            import queue
            try:
                import beside_nobody
            except ImportError as error:
                print(error)
            print(os.environ.get("PYTHONSAFEPATH"))
        """),
    )
    assert lines == ["No module named 'beside_nobody'", "None"]


@pytest.mark.parametrize("how", ["raise", "logging"])
def test_a_trace_shows_the_lines_that_ran(patient_bench: ScriptBench, tmp_path: Path, how: str) -> None:
    act = {"raise": "raise", "logging": "logging.exception('failed')"}[how]
    text = (
        "import logging\ndef main():\n    try:\n        raise ValueError('the first text')  # Größe\n"
        f"    except ValueError:\n        {act}\n"
    )
    file = tmp_path / "edited.py"
    file.write_text(text)
    procedure_id = patient_bench.ready(file)
    file.write_text(text.replace("the first", "the other"))
    patient_bench.start(procedure_id)
    summary = patient_bench.wait_for_end(procedure_id)
    trace = summary.history.stacktrace if how == "raise" else "\n".join(patient_bench.lines(procedure_id))
    assert trace is not None
    assert "raise ValueError('the first text')  # Größe" in trace
    assert "the other" not in trace


UNRENDERABLE = {
    "str raises": "def __str__(self): raise ZeroDivisionError",
    "str ends the process": "def __str__(self): sys.exit(7)",
    "str is not a text": "def __str__(self): return 7",
    "a lone surrogate": "def __str__(self): return 'caf\\udce9'",
    "notes are not a list": "__notes__ = 7",
    "module is not a text": "__module__ = 7",
    "text and line are odd": "msg = text = lineno = filename = offset = object()",
}


@pytest.mark.parametrize("kind", UNRENDERABLE)
@pytest.mark.parametrize("base", ["Exception", "SyntaxError"])
def test_what_cannot_be_rendered_hides_nothing_else(patient_bench: ScriptBench, kind: str, base: str) -> None:
    source = script(
        """
        try:
            raise KeyError("the cause")
        except KeyError as error:
            raise Unrenderable("the effect") from error
        """,
        top=f"class Unrenderable({base}):\n    {UNRENDERABLE[kind]}\n",
    )
    trace = patient_bench.failure_of(patient_bench.run(source))
    for part in ("KeyError: 'the cause'", 'raise KeyError("the cause")', 'raise Unrenderable("the effect")'):
        assert part in trace
    assert "Unrenderable" in trace.partition('raise Unrenderable("the effect")')[2]


def test_of_a_long_message_the_telling_parts_are_kept(patient_bench: ScriptBench) -> None:
    summary_id = patient_bench.run(
        script(
            "raise PointingError('limits ' + '1.0, ' * 200_000 + 'the end')",
            top="class PointingError(Exception): pass",
        )
    )
    trace = patient_bench.failure_of(summary_id)
    assert "raise PointingError('limits '" in trace
    assert "\nPointingError: limits 1.0, " in trace
    assert trace.rstrip().endswith("the end")
    assert len(trace) <= 64_000
