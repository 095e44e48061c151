"""Messages, docstrings, comments and documentation are in plain technical English.

The word list has expressions that international readers must read twice, with the words to write instead. It
applies to whole files: a variable must not have such a name, either.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "devices", "tests", "docs", "charts", "tango_db", ".ci")
FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")
SUFFIXES = (
    ".py",
    ".pyi",
    ".js",
    ".ts",
    ".html",
    ".css",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".tpl",
    ".sh",
    ".service",
)

# Everything that may be between two words of a sentence: also the end of a line, with the mark of a comment
# in the next line, and the border between two parts of a string.
GAP = r"(?:\s*\"\s*\n\s*[rf]*\"\s*|\s+(?:(?:#|//|\*|>)\s+)?)"


class Rule(NamedTuple):
    """Expressions to avoid.

    :param expressions: separated by ``|``, in lower case
    :param instead: words to write instead
    :param unless_after: words before the expression that make it plain
    :param unless_before: words after the expression that make it plain
    """

    expressions: str
    instead: str
    unless_after: tuple[str, ...] = ()
    unless_before: tuple[str, ...] = ()


RULES = (
    Rule("mend|mends|mended|mending", "fix"),
    Rule("anew", "again: 'create it again'"),
    Rule("whoever|whomever|whosoever", "name the person or program: 'the client that …'"),
    Rule("let go of|lets go of|letting go of", "close, release"),
    Rule(
        "is no|are no|was no|were no",
        "is not a …; 'there is no …'",
        unless_after=("there", "such"),
        unless_before=("longer", "more", "less", "later", "earlier", "other"),
    ),
    Rule("at the most|at the least", "at most, at least"),
    Rule("for ever", "forever; better: without limit, 'never ends'"),
    Rule("tell|tells|telling", "report, show, notify; 'tell apart' is 'distinguish'"),
    Rule("told", "reported, shown, notified; a callback is called; a process is stopped"),
    Rule("becomes of|become of|became of", "name it: the state, the result, the end"),
    Rule("is away|are away|was away|were away|be away|been away", "is unavailable, does not answer"),
    Rule("so that nobody", "say what happens: 'so that no other client …'"),
    Rule("nobody's", "of no client, without an owner"),
    Rule("pass over|passes over|passed over|passing over", "ignore, skip"),
    Rule("see to it|see to its|see to the|see to that", "check, ensure"),
    Rule("for who", "name the person or program"),
    Rule("it is what", "name the thing, then the verb"),
    Rule("that which", "the one that; better: name it"),
    Rule("knows no|know no|knows of no|know of no", "does not know"),
    Rule(
        "nor is|nor are|nor does|nor do|nor did|nor has|nor have|nor can|nor will", "and … not; or a sentence"
    ),
    Rule("for want of", "because there is no …"),
    Rule(", for it|, for they|, for he|, for this|, for that|, for there|, for nobody", ", because …"),
    Rule("thus|hence|henceforth|thence|whence", "so, because of that, from there"),
    Rule("lest", "so that … not"),
    Rule("thereof|therein|thereby|thereupon|whereof|wherein|whereby|whereupon", "of it, in it, by which"),
    Rule("upon|hitherto", "on, after; until now"),
    Rule("as it were|all the same to", "leave it out"),
)


def _compiled(rule: Rule) -> re.Pattern[str]:
    options = "|".join(re.escape(each).replace("\\ ", GAP) for each in rule.expressions.split("|"))
    plain = rf"(?!{GAP}(?:{'|'.join(rule.unless_before)}))" if rule.unless_before else ""
    return re.compile(rf"(?:(?<![\w.])|(?=,))(?:{options})\b{plain}", re.IGNORECASE)


PATTERNS = [(rule, rule.expressions.split("|"), _compiled(rule)) for rule in RULES]

# The first words of the docstring of a module, a class or a constant, which names the thing.
RIDDLE = re.compile(
    r'(?:^""" ?|^class [^\n]*:\n +"""|^/\*\* )'
    r"((?:What|Who|Whom|Whose|That|Why|Where|Which|How|Whatever|Whoever|However)\b(?! many\b)[^\n]*)",
    re.MULTILINE,
)


def texts() -> Iterator[Path]:
    """Yield the files of the project that people read."""
    yield from (ROOT / name for name in FILES)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if (path.suffix in SUFFIXES or folder == ".ci") and path.is_file() and "_build" not in path.parts:
                yield path


def violations(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the expression and the advice for each violation in a text."""
    flat = " ".join(text.lower().split())
    for mark in (" # ", " // ", " * ", " > "):
        flat = flat.replace(mark, " ")
    for border in ('" "', '" f"', '" rf"', '" r"'):
        flat = flat.replace(border, "")
    for rule, expressions, pattern in PATTERNS:
        if any(each in flat for each in expressions):
            for match in pattern.finditer(text):
                before = re.findall(r"[a-z]+", text[max(0, match.start() - 60) : match.start()].lower())
                if not before or before[-1] not in rule.unless_after:
                    line = text.count("\n", 0, match.end() - 1) + 1
                    yield line, " ".join(match[0].split()), rule.instead
    for match in RIDDLE.finditer(text):
        line = text.count("\n", 0, match.start(1)) + 1
        yield line, match[1], "name the thing: 'Delays between attempts', not 'How long to wait'"


def test_all_texts_are_plain() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: '{expression}'. Write: {instead}"
        for path in texts()
        if path != Path(__file__)
        for line, expression, instead in violations(path.read_text())
    ]
    assert not found, "\n".join(["Use plain technical English (CONTRIBUTING.md, Style):", *found])


@pytest.mark.parametrize(
    "text",
    [
        "# It is mended by the next server.",
        '"the file is "\n    "no script"',
        "# whatever it is,\n# for\n# ever",
        "clients are told",
        "# The client knows\n    # of no such device.",
        "a retry, for it may succeed",
        '"""Who is told what becomes of procedures."""',
        'class Delays:\n    """How long to wait."""',
        "/** How far something has come. */",
        "//  the device\n  // is away",
    ],
)
def test_an_expression_is_found_in_any_place(text: str) -> None:
    assert list(violations(text))


@pytest.mark.parametrize(
    "text",
    [
        "there is no file, and there are\n    # no folders",
        "file.tell()",
        "recommend, commended, smallest, coupon",
        '"""Delays between attempts."""',
        "it is no longer kept",
        "all the same files",
    ],
)
def test_plain_text_passes(text: str) -> None:
    assert not list(violations(text))
