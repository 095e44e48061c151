"""Completion scripts for shells, which replace those of click.

Words like ``--pid=7`` are completed behind the equals sign; after a completion that ends in an equals sign, a
value follows, and no space is added.
"""

import os
from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)


class _ValueComplete(ShellComplete):
    """Completes ``--name=value`` like ``--name value``, also where a command does not know the name."""

    def get_completions(self, args: list[str], incomplete: str) -> "list[CompletionItem[str]]":
        """Return the completions of a word."""
        name, separator, value = incomplete.partition("=")
        self._begun = ""
        if separator and name.startswith("--"):
            self._begun = f"{name}="
            return super().get_completions([*args, name], value)
        return super().get_completions(args, incomplete)

    def _whole(self, item: "CompletionItem[str]") -> "CompletionItem[str]":
        """Return a completion as the whole completed word."""
        if not self._begun or item.type != "plain":
            return item
        return CompletionItem(f"{self._begun}{item.value}", help=item.help)


class OetBashComplete(_ValueComplete, BashComplete):
    """Completion for Bash, which divides words at colons and equals signs.

    The line is read as it was typed; Bash gets the part of a word behind the last colon.
    """

    source_template = BashComplete.source_template.replace(
        "$(env COMP_WORDS=", '$(env COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_WORDS='
    ).replace("COMPREPLY+=($value)", "COMPREPLY+=($value); [[ $value != *= ]] || compopt -o nospace")

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that one."""
        self._divided = 0
        if "COMP_LINE" not in os.environ:  # the shell has what an earlier version of this command printed
            return super().get_completion_args()
        line = os.environ["COMP_LINE"].encode()[: int(os.environ["COMP_POINT"])].decode(errors="ignore")
        words = split_arg_string(line)
        unfinished = words.pop() if words and not line[-1:].isspace() else ""
        self._divided = unfinished.rpartition("=")[2].rfind(":") + 1
        return words[1:], unfinished

    def format_completion(self, item: "CompletionItem[Any]") -> str:
        """Return the part of a completion that Bash is to insert."""
        return f"{item.type},{item.value[self._divided :]}"


class OetZshComplete(_ValueComplete, ZshComplete):
    """Completion for Zsh, which replaces the whole word."""

    source_template = (
        ZshComplete.source_template.replace(
            "local -a response\n", "local -a response\n    local -a unfinished\n"
        )
        .replace(
            """            if [[ "$descr" == "_" ]]; then
""",
            """            if [[ "$key" == *= ]]; then
                unfinished+=("${key//\\\\:/:}")
            elif [[ "$descr" == "_" ]]; then
""",
        )
        .replace("            _path_files", "            compset -P '-*='; _path_files")
        .replace(
            """    if [ -n "$completions" ]; then
""",
            """    if [ -n "$unfinished" ]; then
        compadd -U -S '' -V unsorted -a unfinished
    fi

    if [ -n "$completions" ]; then
""",
        )
    )

    def format_completion(self, item: "CompletionItem[str]") -> str:
        """Return a completion, with its description."""
        return super().format_completion(self._whole(item))


class OetFishComplete(_ValueComplete, FishComplete):
    """Completion for Fish, which replaces the whole word."""

    source_template = FishComplete.source_template.replace(
        "            __fish_complete_path $metadata[2];\n",
        """            set -l begun (string match -r -- '^-[^=]*=' (commandline -t));
            for path in (__fish_complete_path $metadata[2]);
                echo "$begun$path";
            end;
""",
    )

    def format_completion(self, item: "CompletionItem[str]") -> str:
        """Return a completion, with its description."""
        return super().format_completion(self._whole(item))


def install() -> None:
    """Let commands complete in the ways of this module."""
    for shell in (OetBashComplete, OetZshComplete, OetFishComplete):
        add_completion_class(shell)
