"""Checks of a script before a procedure is created for it.

Checks that take long are done by the script's own process: a long text is not even read here. See
`source.LONG`.
"""

import hashlib
import inspect
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ska_oso_oet.model import ScriptDescription

from ..domain import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ScriptDefectiveError,
    ScriptError,
    ScriptNotAllowedError,
    ScriptNotAtHandError,
    source,
)
from ..domain.description import describe
from ..domain.repositories import Repositories
from ..domain.requirements import ScriptHeader, read_header
from ..domain.roots import ScriptRoots
from ..domain.script_text import Outline, ScriptText
from ..execution.procedure import ProcedurePlan
from .commands import PrepareProcessCommand


class Admitted(NamedTuple):
    """A script that may be run.

    :param path: its file, all links resolved; None if it has no file, or has not been fetched
    :param outline: functions that its text defines; None if they are known only when it is loaded
    :param header: packages that its text requires; None if it needs none
    """

    path: Path | None
    outline: Mapping[str, Outline] | None = None
    header: ScriptHeader | None = None

    def plan(self, cmd: PrepareProcessCommand, subarray: int | None) -> ProcedurePlan:
        """Return the plan of a procedure, with the subarray where functions are known to take one.

        :param cmd: what is to be prepared
        :param subarray: the subarray that its functions get where they take one; None if there is none
        :raises ArgumentsError: if the arguments do not fit its functions, or are for another subarray
        """
        known: dict[str, inspect.Signature | None] = {}
        if self.outline is not None:
            certain = {
                name: described
                for name, described in self.outline.items()
                if described.signature or not described.defined
            }
            known = {name: described.signature for name, described in certain.items()}
        arguments = cmd.init_args, cmd.main_args
        plan = ProcedurePlan(cmd.script, self.path, *arguments, subarray, known, self.header)
        return plan._replace(overridden=frozenset(cmd.overrides)).fitted()

    def signature(self, function: str) -> inspect.Signature | None:
        """Return the signature of a function, None if it is not known before the script is loaded.

        :param function: name of the function
        """
        outline = None if self.outline is None else self.outline.get(function)
        return None if outline is None else outline.signature

    def require_main(self, name: str) -> None:
        """Check that a script may have a ``main`` when that is called.

        :param name: name of the script, for the error message
        :raises ScriptDefectiveError: if it certainly has none
        """
        if self.outline is not None and not self.outline["main"].defined:
            raise ScriptDefectiveError(
                f"{name} has no function main(), and its init() does not bind one: define main()"
            )

    def takers(self, parameter: str) -> set[str]:
        """Return the functions that get a value: those that name the parameter in their signature.

        If none is known to name it, one that may take it; none if it is certain that neither does.

        :param parameter: name of the parameter
        """
        if self.outline is None:
            return {"main"}
        known = {name: found.signature for name, found in self.outline.items() if found.defined}
        named = {name for name, sig in known.items() if sig is not None and parameter in sig.parameters}
        uncertain = [name for name in ("main", "init") if name in known and known[name] is None]
        open_ended = [
            name
            for name, sig in known.items()
            if sig is not None and inspect.Parameter.VAR_KEYWORD in {p.kind for p in sig.parameters.values()}
        ]
        return named or set(uncertain[:1]) or set(open_ended[-1:])


class Admission:
    """Checks scripts and their arguments without running them.

    :param roots: where scripts may be; None for anywhere
    :param repositories: git repositories that scripts may come from
    :param size_limit: bytes that a script may have
    :param allow_embedded: whether a request may contain the text of a script
    """

    def __init__(
        self,
        roots: ScriptRoots | None,
        repositories: Repositories,
        size_limit: int = source.SIZE_LIMIT,
        *,
        allow_embedded: bool = True,
    ) -> None:
        self._roots = roots
        self._repositories = repositories
        self._size_limit = size_limit
        self._allow_embedded = allow_embedded

    def sha256(self, script: ExecutableScript) -> str | None:
        """Return the SHA-256 of the text of a file as it is now, empty if it cannot be read.

        :param script: the script
        :returns: None if it is not a file that can change
        """
        if not isinstance(script, FileSystemScript):
            return None
        try:
            path = script.path.resolve() if self._roots is None else self._roots.find(script)
            return hashlib.sha256(source.read_file(path, self._size_limit)).hexdigest()
        except ScriptError:
            return ""

    def describe(self, script: ExecutableScript) -> ScriptDescription:
        """Return the description of a script, without running it.

        :param script: the script
        :raises ScriptNotAtHandError: if it is in git, or long
        :raises ScriptError: if the script is refused, see `examine`
        """
        if isinstance(script, GitScript):
            self._repositories.admit(script)
            raise ScriptNotAtHandError(f"{script.name} is in git: ExamineScript fetches and describes it")
        path, text = self._find(script, trusted=False)
        if text is None:
            raise ScriptNotAtHandError(
                f"{script.name} has more than {source.LONG} bytes: ExamineScript describes it"
            )
        return describe(ScriptText(text, script.name), None if path is None else path.as_uri())

    def examine(self, script: ExecutableScript, *, trusted: bool = False) -> Admitted:
        """Check a script.

        :param script: the script
        :param trusted: whether it may be anywhere
        :raises ScriptNotFoundError: if there is no such file
        :raises ScriptNotAllowedError: if it may not be run
        :raises ScriptDefectiveError: if it is not valid Python, has neither ``main`` nor ``init``, or
            requires another Python
        :raises ScriptError: if the place of a script in git cannot be one
        """
        if isinstance(script, GitScript):
            # Its text is not fetched yet: a fault in it fails the procedure.
            self._repositories.admit(script)
            return Admitted(None)
        path, text = self._find(script, trusted=trusted)
        if text is None:
            return Admitted(path, None, read_header(_beginning(script, path), script.name))
        outlines, header = _read(text, script.name)
        return Admitted(path, outlines, header)

    def locate(self, script: ExecutableScript, *, trusted: bool = False) -> Path | None:
        """Check where a script comes from, and its size, without reading it.

        :param script: the script
        :param trusted: whether it may be anywhere
        :returns: its file, all links resolved; None if it has no file, or has not been fetched
        :raises ScriptError: if the script is refused, see `examine`
        """
        match script:
            case GitScript():
                self._repositories.admit(script)
                return None
            case EmbeddedStringScript():
                if not self._allow_embedded:
                    raise ScriptNotAllowedError(
                        "scripts that a request contains are not allowed (property AllowEmbeddedScripts): "
                        "give the URI of a script below one of the script roots, or in an allowed repository"
                    )
                source.require_size(source.text_size(script.script), self._size_limit, script.name)
                return None
            case FileSystemScript():
                roots = None if trusted else self._roots
                path = script.path.resolve() if roots is None else roots.find(script)
                source.file_size(path, self._size_limit)
                return path
        raise ScriptNotAllowedError(f"scripts of the kind {type(script).__name__} cannot be run")

    def _find(self, script: ExecutableScript, *, trusted: bool) -> tuple[Path | None, str | bytes | None]:
        """Return the file of a script, and its text; None where there is none, or the text is long."""
        path = self.locate(script, trusted=trusted)
        if path is not None:
            is_long = source.file_size(path, self._size_limit) > source.LONG
            return path, None if is_long else source.read_file(path, self._size_limit)
        assert isinstance(script, EmbeddedStringScript), "a script without a file is given as its text"  # noqa: S101
        return None, script.script if source.text_size(script.script) <= source.LONG else None


@lru_cache(maxsize=64)
def _read(text: str | bytes, name: str) -> tuple[Mapping[str, Outline], ScriptHeader | None]:
    """Return the functions and the required packages of a text. Most scripts run often."""
    return ScriptText(text, name).outlines(), read_header(text, name)


def _beginning(script: ExecutableScript, path: Path | None) -> str | bytes:
    """Return the beginning of a long script, which has its header."""
    if isinstance(script, EmbeddedStringScript):
        return script.script[: source.LONG]
    assert path is not None, "a script that is not given as its text has a file"  # noqa: S101
    return source.read_beginning(path)
