"""The table in the README: written where the one before it stands."""

from pathlib import Path

from tests.benchmarks.core.machine import Machine
from tests.benchmarks.core.markdown import put_into
from tests.benchmarks.core.measure import Distribution
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most

MACHINE = Machine(
    date="2026-01-02T03:04:05+00:00",
    processor="Abacus 3000",
    cores=2,
    memory_gib=4.0,
    load=0.1,
    system="Linux 6",
    python="3.11.9",
    packages={"pytango": "10.0.0"},
)


def row(milliseconds: float) -> Row:
    target = at_most(20, Aspect.MEDIAN)
    return Row("Stop", Unit.MILLISECONDS, Distribution((milliseconds,)), targets=(target,), note="it sleeps")


def test_a_document_without_figures_gets_a_section_at_its_end(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("# Title\n\nText.\n")
    put_into(document, MACHINE, [row(30.0)])
    text = document.read_text()
    assert text.startswith("# Title\n\nText.\n\n## Measured\n\n")
    assert "2 x Abacus 3000, 4 GiB" in text
    assert "| Stop |  | 30.00 ms | 30.00 |  |  | 1 | ≤ 20 ms | **missed** |\n" in text
    assert "- Stop: it sleeps.\n" in text


def test_figures_take_the_place_of_older_ones_and_leave_the_rest_alone(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    put_into(document, MACHINE, [row(30.0)])
    document.write_text(f"# Title\n\n{document.read_text()}\n## Operation\n\nText.\n")
    before = document.read_text()
    put_into(document, MACHINE, [row(10.0)])
    expected = before.replace("30.00", "10.00").replace("**missed**", "reached")
    assert document.read_text() == expected
