"""Who may come in: all that can be known of a script before it runs is checked before anything is created."""

from pathlib import Path

from ..domain import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ScriptNotAllowed,
    ScriptNotFound,
    signatures,
)
from ..domain.repositories import Repositories
from ..domain.roots import ScriptRoots
from .commands import PrepareProcessCommand


class Admission:
    """Checks scripts and their arguments without running them.

    :param roots: where scripts may be; None for anywhere
    :param repositories: git repositories that scripts may come from
    """

    def __init__(self, roots: ScriptRoots | None, repositories: Repositories) -> None:
        self._roots = roots
        self._repositories = repositories

    def admit(self, cmd: PrepareProcessCommand, *, trusted: bool = False) -> Path | None:
        """Check a script and the arguments for it.

        :param cmd: what is to be prepared
        :param trusted: whether the script may be anywhere
        :returns: the file of the script, all links resolved; None if it has no file, or none here yet
        :raises ScriptNotFound: if there is no such file
        :raises ScriptNotAllowed: if it may not be run
        :raises ScriptDefective: if it is no Python, or has no ``main``
        :raises ArgumentsDoNotFit: if the arguments do not fit its functions
        :raises ScriptError: if the place of a script in git cannot be one
        """
        if isinstance(cmd.script, GitScript):
            # Its text is not here: what is wrong with that fails the procedure.
            self._repositories.admit(cmd.script)
            return None
        path = self._find(cmd.script, trusted)
        outline = signatures.read_outline(_source(cmd.script, path), cmd.script.name)
        for function, arguments in (("init", cmd.init_args), ("main", cmd.main_args)):
            signature = outline[function].signature
            if arguments is not None and signature is not None:
                signatures.check(function, signature, arguments)
        return path

    def _find(self, script: ExecutableScript, trusted: bool) -> Path | None:
        if isinstance(script, EmbeddedStringScript):
            return None
        if not isinstance(script, FileSystemScript):
            raise ScriptNotAllowed(f"scripts of the kind {type(script).__name__} cannot be run")
        return script.path.resolve() if trusted or self._roots is None else self._roots.find(script)


def _source(script: ExecutableScript, path: Path | None) -> bytes | str:
    if path is None:
        assert isinstance(script, EmbeddedStringScript), "all others are files"  # noqa: S101
        return script.script
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScriptNotFound(f"the script '{path}' cannot be read: {error.strerror}") from None
