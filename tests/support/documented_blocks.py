"""Code blocks of documentation pages, with the marks that say what a test does with them.

A mark is a comment in the source of a page, on the line before a block, for example
``<!-- test: terminal stack -->``. A ``console`` block needs no mark: its commands are typed. These are the
words of marks; a mark may have several, with ``;`` between them:

``file NAME``
    the block is saved as a file.
``terminal NAME``
    the commands are typed in a further terminal.
``keeps running``
    the last command does not end. When what the page shows was printed, the test goes on. It presses Ctrl-C
    in that terminal before it types there again, and at the end of the page. A block of that terminal that
    does not begin with a prompt shows what the command prints until it ends by itself. With the words
    ``keeps running``, such a block shows all that the command has printed up to then.
``again``
    the last command is typed again until it prints what the page shows.
``status N``
    the last command ends with this exit status instead of 0.
``shared stack``
    the command, ``oet-stack`` with options, is not run. All pages share one stack, of which each has a
    controller. The options are read, and the line that the shared stack has printed is compared.
``not run: REASON``
    the block needs something that the test does not have.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARK = re.compile(r"<!-- test: (?P<words>.+?) -->", re.DOTALL)
_PROMPT = re.compile(r"(?P<prompt>\$|>>>|\(Pdb\)|.*\[y/N\]:) (?P<typed>.*)")
_CONTINUED = "\\"


class DocumentationError(Exception):
    """A page has a block or a mark that a test cannot use."""


@dataclass(frozen=True)
class Step:
    """A line typed at a prompt, and the lines printed after it.

    :param prompt: the prompt that the page shows; empty where a command that kept running ends
    :param typed: the line, or the lines where it goes on
    :param printed: lines that the page shows; if there are none, the output is not compared
    """

    prompt: str
    typed: str
    printed: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A code block of a page.

    :param place: file and line, for messages
    :param language: the first word of its info string
    :param text: what is in it
    :param marks: words of its mark, and what follows them
    """

    place: str
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def is_executed(self) -> bool:
        """Whether a test types it, or saves it as a file for what is typed."""
        return "not run:" not in self.marks

    def steps(self) -> list[Step]:
        """Return what is typed."""
        found: list[tuple[str, list[str], list[str]]] = []
        for line in self.text.splitlines():
            if prompt := _PROMPT.fullmatch(line):
                found.append((prompt["prompt"], [prompt["typed"]], []))
            elif not found:
                found.append(("", [""], [line]))
            elif found[-1][1][-1].endswith(_CONTINUED) and not found[-1][2]:
                found[-1][1].append(line)
            else:
                found[-1][2].append(line)
        return [Step(prompt, "\n".join(typed), tuple(printed)) for prompt, typed, printed in found]


def blocks_of(page: Path) -> list[Block]:
    """Return the code blocks of a page, in order.

    :param page: file in Markdown
    :raises DocumentationError: if a block would not be executed and does not say why
    """
    tokens = MarkdownIt("commonmark").parse(page.read_text())
    before: list[Token | None] = [None, *tokens]
    return [
        _block(page, token, last)
        for last, token in zip(before, tokens, strict=False)
        if token.type in ("fence", "code_block") and not token.info.startswith("{")
    ]


def _block(page: Path, token: Token, last: Token | None) -> Block:
    line = token.map[0] + 1 if token.map else 0
    place = f"{page.name}:{line}"
    if token.type == "code_block":
        raise DocumentationError(f"{place}: the block is indented; write it between ``` and ```")
    mark = _MARK.fullmatch(last.content.strip()) if last is not None and last.type == "html_block" else None
    block = Block(
        place, token.info.split(" ")[0], token.content, _words(mark["words"], place) if mark else {}
    )
    if block.is_executed and block.language != "console" and "file" not in block.marks:
        raise DocumentationError(
            f"{place}: no test executes this block. Make it a console block with prompts, or write a mark "
            "before it: <!-- test: file NAME --> if a later block uses it, or <!-- test: not run: REASON -->"
        )
    return block


_WORDS = re.compile(r"(file|terminal|status|not run:) (\S.*)|(keeps running|again|shared stack)()")


def _words(text: str, place: str) -> dict[str, str]:
    """Return the words of a mark, with what follows each."""
    found = {}
    for each in [text] if text.startswith("not run:") else text.split("; "):
        words = _WORDS.fullmatch(" ".join(each.split()))
        if words is None:
            raise DocumentationError(
                f"{place}: {each!r} is not a mark; the marks are in {Path(__file__).name}"
            )
        found[words[1] or words[3]] = words[2] or ""
    return found
