"""Pages of the documentation: blocks are executed or say why not, output is compared, links work."""

import re
from pathlib import Path

import pytest
from tests.support.documented_blocks import DocumentationError, Step, blocks_of
from tests.support.documented_output import agrees
from tests.support.site import PROJECT

EVENT = "   9 19:53:51.650  procedure.lifecycle.statechange  #1  READY"
LATER = "  12 20:01:00.123  procedure.lifecycle.statechange        #1  READY"


def page(folder: Path, text: str) -> Path:
    file = folder / "page.md"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# A page\n\n```python\nprint()\n```\n", "page.md:3: no test executes this block"),
        ("Text.\n\n```\noet status\n```\n", "no test executes this block"),
        ("1. Text:\n\n   ```python\n   print()\n   ```\n", "no test executes this block"),
        ("Text:\n\n    oet status\n", "the block is indented"),
        ("<!-- test: file a.py -->\n\nText.\n\n```python\nprint()\n```\n", "no test executes this block"),
        ("<!-- test: maybe -->\n```python\nprint()\n```\n", "'maybe' is not a mark"),
        ("<!-- test: not run: -->\n```python\nprint()\n```\n", "is not a mark"),
    ],
)
def test_a_block_that_no_test_executes_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DocumentationError, match=re.escape(why)):
        blocks_of(page(tmp_path, text))


def test_what_is_typed_and_what_is_printed(tmp_path: Path) -> None:
    typed = "$ oet run \\\n    hello.py\nscan 1\n\n$ python -m pdb x.py\n(Pdb) p scans\n0\n"
    (block,) = blocks_of(page(tmp_path, f"<!-- test: terminal other; status 1 -->\n```console\n{typed}```\n"))
    assert block.marks == {"terminal": "other", "status": "1"}
    assert block.steps() == [
        Step("$", "oet run \\\n    hello.py", ("scan 1", "")),
        Step("$", "python -m pdb x.py", ()),
        Step("(Pdb)", "p scans", ("0",)),
    ]


def test_a_block_that_is_not_executed_says_why(tmp_path: Path) -> None:
    (block,) = blocks_of(page(tmp_path, "<!-- test: not run: it needs root; really -->\n```\nid\n```\n"))
    assert block.marks == {"not run:": "it needs root; really"}
    assert not block.is_executed


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["scan 1"], ["scan 1"]),
        (["a …, b"], ["a 7 s, b"]),
        (["…", "end"], ["one", "two", "end"]),
        (["…", "end"], ["end"]),
        ([EVENT], [LATER]),
        (["│ 1  │ file://scan.py │"], ["│ 1 │ file://scan.py        │"]),
        (["╭────┬──╮"], ["╭──────┬────╮"]),
        (["on 2026-11-27 04:28:17.286"], ["on 2027-01-01 00:00:00"]),
        # Output of a script, and events, arrive in two streams.
        ([EVENT, "| scan 1", "| scan 2"], ["| scan 1", LATER, "| scan 2"]),
    ],
)
def test_what_may_differ(shown: list[str], printed: list[str]) -> None:
    assert agrees(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["scan 1"], ["scan 2"]),
        (["scan 1"], ["scan 1", "scan 2"]),
        (["scan 1", "scan 2"], ["scan 1"]),
        (["…", "end"], ["end", "of it"]),
        (["a.b"], ["axb"]),
        ([EVENT], [LATER.replace("READY", "FAILED")]),
        ([EVENT, "| scan 1", "| scan 2"], ["| scan 2", LATER, "| scan 1"]),
        ([EVENT, "| scan 1"], [LATER, LATER, "| scan 1"]),
    ],
)
def test_what_may_not_differ(shown: list[str], printed: list[str]) -> None:
    assert not agrees(shown, printed)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files(name: str) -> None:
    """Sphinx checks the links of its own pages; these two are not among them."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", (PROJECT / name).read_text())
    assert links
    for path, heading in links:
        assert (PROJECT / path).exists(), path
        headings = re.findall(r"^#+ (.+)$", (PROJECT / path).read_text(), re.MULTILINE) if heading else []
        assert not heading or heading in [re.sub(r"\W+", "-", each.lower()) for each in headings], heading


def test_the_readme_is_short_and_answers_first_questions() -> None:
    text = (PROJECT / "README.md").read_text()
    assert len(text.split()) <= 1200
    answers = text.split("## Find quickly")[1].split("\n## ")[0]
    for word in ("oet run", "attributes", "oet stop --all", "FAULT", "EventBus._number", "BSD-3-Clause"):
        assert word in answers, word
    numbering = (PROJECT / "src" / "ska_oso_oet" / "event" / "bus.py").read_text()
    assert "def _number(" in numbering
