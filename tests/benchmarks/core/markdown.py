"""Report of a measurement as a section of a Markdown document."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .machine import Machine
from .row import Row
from .words import HEADINGS, cells, title

HEADING = "## Measured"

_BEGIN = "<!-- figures of make bench -->"
_END = "<!-- end of figures -->"
_FIGURES = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)


def put_into(path: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Put the figures into a document, in the place of those that it has.

    A document that has none gets a section for them at its end; one that does not exist is made.

    :param path: the document
    :param machine: where it was measured
    :param rows: what was measured
    """
    text = path.read_text() if path.exists() else ""
    figures = "\n".join((_BEGIN, *_lines(machine, rows), _END))
    if _FIGURES.search(text):
        # As a function: what it returns is taken as it is, backslashes included.
        text = _FIGURES.sub(lambda _: figures, text, count=1)
    else:
        text = f"{text.rstrip()}\n\n{HEADING}\n\n{figures}\n".lstrip()
    path.write_text(text)


def _lines(machine: Machine, rows: Sequence[Row]) -> Iterator[str]:
    where, with_what = title(machine).splitlines()
    yield f"{where}; {with_what}."
    yield ""
    yield _line(HEADINGS)
    # Numbers to the right, words to the left.
    yield _line(["---"] * 2 + ["--:"] * (len(HEADINGS) - 4) + ["---"] * 2)
    for row in rows:
        yield _line([*cells(row)[:-1], f"**{cells(row)[-1]}**" if row.missed else cells(row)[-1]])
    yield ""
    for row in rows:
        if row.note:
            yield f"- {row.name}: {row.note}."


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
