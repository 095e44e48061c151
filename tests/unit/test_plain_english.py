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
# in the next line, and the border between two parts of a string. A space in a pattern stands for it.
GAP = r"(?:\s*\"\s*\n\s*[rf]*\"\s*|\s+(?:(?:#|//|\*|>)\s+)?)"


class Rule(NamedTuple):
    """An expression to avoid.

    :param anchor: text, in lower case, without which a file cannot contain the expression
    :param pattern: regular expression; a space stands for `GAP`
    :param instead: words to write instead
    :param unless_after: words before the expression that make it plain
    """

    anchor: str
    pattern: str
    instead: str
    unless_after: tuple[str, ...] = ()


RULES = (
    Rule("mend", r"\bmend(?:s|ed|ing)?\b", "fix"),
    Rule("anew", r"\banew\b", "again: 'create it again'"),
    Rule("ever", r"\bwho(?:m|so)?ever\b", "name the person or program: 'the client that …'"),
    Rule("let", r"\blet(?:s|ting)? go of\b", "close, release"),
    Rule(
        "no",
        r"\b(?:is|are|was|were) no (?!longer|more|less|later|earlier|other)[a-z]+",
        "is not a …; 'there is no …'",
        unless_after=("there", "such"),
    ),
    Rule("st", r"\bat the (?:most|least)\b", "at most, at least"),
    Rule("ever", r"\bfor ever\b", "forever; better: without limit, 'never ends'"),
    Rule("tell", r"(?<!\.)\btell(?:s|ing)?\b", "report, show, notify; 'tell apart' is 'distinguish'"),
    Rule("told", r"\btold\b", "reported, shown, notified; a callback is called; a process is stopped"),
    Rule("bec", r"\b(?:becomes?|became) of\b", "name it: the state, the result, the end"),
    Rule("away", r"\b(?:is|are|was|were|be|been) away\b", "is unavailable, does not answer"),
    Rule("same", r"\ball the same\b(?! )", "still, anyway"),
    Rule("nobody", r"\bso that nobody\b|\bnobody's\b", "say what happens: 'so that no other client …'"),
    Rule("over", r"\bpass(?:es|ed|ing)? over (?:it|a|an|the|what|one)\b", "ignore, skip"),
    Rule("to", r"\b(?:see|sees|saw) to (?:it|its|the|that)\b", "check, ensure"),
    Rule("for", r"\bfor whom?\b", "name the person or program"),
    Rule("what", r"\bit is what\b", "name the thing, then the verb"),
    Rule("which", r"\bthat which\b", "the one that; better: name it"),
    Rule("know", r"\bknows? (?:of )?no\b", "does not know"),
    Rule("nor", r"\bnor (?:is|are|was|were|do|does|did|has|have|can|will)\b", "and … not; or a sentence"),
    Rule("want", r"\bfor want of\b", "because there is no …"),
    Rule(", for", r", for (?:it|they|he|this|that|there|nobody|nothing|otherwise)\b", ", because …"),
    Rule("thus", r"\bthus\b", "so"),
    Rule("hence", r"\b[wt]?hence(?:forth)?\b", "so, because of that, from there"),
    Rule("lest", r"\blest\b", "so that … not"),
    Rule("there", r"\bthere(?:of|in|by|upon|with)\b", "of it, in it, by that"),
    Rule("where", r"\bwhere(?:of|in|by|upon|with|fore)\b", "of which, in which, by which"),
    Rule("upon", r"\bupon\b", "on, after"),
    Rule("hitherto", r"\bhitherto\b", "until now"),
    Rule("were", r"\bas it were\b", "leave it out"),
)
COMPILED = [(rule, re.compile(rule.pattern.replace(" ", GAP), re.IGNORECASE)) for rule in RULES]

# The first words of the docstring of a module, a class or a constant, which names the thing.
RIDDLE = re.compile(
    r'(?:^|^class [^\n]*:\n +)"""'
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
    lower = text.lower()
    for rule, pattern in COMPILED:
        if rule.anchor in lower:
            for match in pattern.finditer(text):
                place = match.end() - 1
                before = re.findall(r"[a-z]+", lower[max(0, match.start() - 60) : match.start()])[-1:]
                if before and before[0] in rule.unless_after:
                    continue
                yield text.count("\n", 0, place) + 1, " ".join(match[0].split()), rule.instead
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
