"""All texts of the project are in plain technical English: messages, docstrings, comments, documentation.

The word list has expressions that international readers have to read twice, and what to write instead. It
is applied to all text in a file, code included: a variable should not bear such a name, either.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIXES = {
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
    ".txt",
    ".sh",
}
FOLDERS = ("src", "devices", "tests", "docs", "charts", "tango_db", ".ci")
FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")

# A space in an expression stands for what may be between two words: also the end of a line, with the mark of a
# comment in the next one, and the border between two parts of a string.
GAP = r"(?:\s+(?:(?:#|//|\*)\s+)?|\s*\"\s*\n\s*[rf]*\"\s*)"

EXPRESSIONS = {
    r"mend(?:s|ed|ing)?": "fix",
    r"anew": "again, as in 'create again'",
    r"who(?:m|so)?ever": "name the person or program: 'the client that …'",
    r"let(?:s|ting)? go of": "release, close",
    r"at the (?:most|least)": "at most, at least",
    r"for ever": "forever, without limit",
    r"tell(?:s|ing)?|told": "report, say, show, notify, call; 'tell apart' is 'distinguish'",
    r"(?:becomes?|became) of": "name it: the state, the result, the end of it",
    r"(?:is|are|was|were|be|been) away": "is unavailable, does not answer",
    r"all the same": "still",
    r"so that nobody": "say what happens: 'so that other clients do not …'",
    r"pass(?:es|ed|ing)? over (?:it|a|an|the|what)": "ignore, skip",
    r"see to (?:it|its|the|that)": "check, ensure",
    r"for who(?:m)?": "name the person or program",
    r"it is what": "name the thing first: '… is …'",
    r"that which": "name the thing",
    r"knows? (?:of )?no": "does not know",
    r"nor (?:is|are|was|were|does|do|did|has|have|can|will|would)": "start a sentence: 'It also does not …'",
    r"for want of": "because there is no, without",
    r"nobody's": "of no client, without an owner",
    r"thus|hence|whence|lest|thereof|therein|thereby|whereby|wherein|upon|hitherto|henceforth|albeit|as it were": (
        "so, because, of it, on, until now"
    ),
}
# `there is no` is plain, `it is no file` is not.
IS_NO = r"(?<!there )(?<!there\n)\b(?:is|are|was|were) no (?!longer|more|less|other|such)[a-z]"
BECAUSE = r", for (?:it|they|he|this|that|there|nobody|nothing|otherwise)\b"
