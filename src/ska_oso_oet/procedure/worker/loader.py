"""Loader: executes a script as a module."""

import builtins
import gc
import hashlib
import io
import linecache
import logging
import os
import sys
import tokenize
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple

from ska_oso_oet.files import TemporaryFolder
from ska_oso_oet.model import EmbeddedStringScript, ExecutableScript, FileSystemScript, GitScript

from ..domain.source import SIZE_LIMIT, compile_script, read_file

LOGGER = logging.getLogger(__name__)

MODULE_NAME = "__mp_main__"
"""Name that a script's module has while its top level is executed.

multiprocessing gives the main module this name in processes that it starts, so that the same block ``if
__name__ == "__main__"`` is skipped in all of them. Afterwards, the name is that of a program.
"""

_PROGRAM_NAME = "__main__"

_DEFINITIONS = (type, FunctionType)

_SHA256 = hashlib.sha256()
"""Of nothing. OpenSSL prepares the first one for half a millisecond: here, that is done by the forkserver."""

_KEPT = ("ska_oso_oet", "encodings")
"""Packages that a script's folder cannot replace, in addition to those that are part of the interpreter."""


class LoadedScript(NamedTuple):
    """A script as a module, and its text.

    :param module: the module
    :param code: the compiled text
    :param sha256: SHA-256 of the text
    """

    module: ModuleType
    code: CodeType
    sha256: str


class ModuleFactory:
    """Makes Python modules of scripts."""

    @staticmethod
    def get_module(script: ExecutableScript) -> ModuleType:
        """Load a script, and return its module. See `load_script`."""
        return load_script(script).module


def load_script(
    script: ExecutableScript, size_limit: int = SIZE_LIMIT, as_program: bool = False
) -> LoadedScript:
    """Load a script: its top level is executed.

    Code that looks up classes by name, such as pickle, finds the module. The files of a script from git are
    checked out into a temporary folder, which is removed when the process ends.

    :param script: the script to load
    :param size_limit: bytes that it may have
    :param as_program: whether the script is the program of this process, and its module the main module
    :raises ScriptNotFoundError: if its file cannot be read
    :raises ScriptNotAllowedError: if it is too large, or not a regular file
    :raises ScriptDefectiveError: if it is not valid Python
    :raises ScriptError: if the place of a script in git is malformed
    :raises GitError: if its files cannot be fetched
    :raises Exception: any exception of its top level
    """
    if isinstance(script, GitScript):
        script = FileSystemScript(_check_out(script).as_uri())
    if isinstance(script, FileSystemScript):
        # Like `python script.py`: modules in the script's folder can be imported.
        sys.path.insert(0, str(script.path.parent))
        if as_program:
            _uncover_neighbours(script.path.parent)
        origin = file = str(script.path)
        source: str | bytes = read_file(script.path, size_limit)
    elif isinstance(script, EmbeddedStringScript):
        origin = script.name
        source = script.script
        file = _anonymous_file(source.encode("utf-8", "surrogatepass")) if as_program else origin
    else:
        raise TypeError(f"{type(script).__name__} cannot be loaded as it is")
    code = compile_script(source, origin, script.name)
    _remember_lines(origin, source)
    module = ModuleType(MODULE_NAME)
    module.__file__ = file
    # Where there is one, it names the module that processes of multiprocessing import.
    module.__spec__ = None
    sys.modules[MODULE_NAME] = module
    if as_program:
        # As in a program: in any other module, the first is a dictionary.
        vars(module).update(__builtins__=builtins, __cached__=None)
        sys.modules[_PROGRAM_NAME] = module
        sys.argv = [origin]
    exec(code, module.__dict__)  # noqa: S102  # running scripts is the purpose of this process
    if as_program:
        _become_program(module)
    digest = _SHA256.copy()
    digest.update(source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass"))
    return LoadedScript(module, code, digest.hexdigest())


def _become_program(module: ModuleType) -> None:
    """Give a module, and its functions and classes, the name that it has in a program.

    Libraries that pickle functions by value do that for those of ``__main__`` only: others could be imported.
    """
    module.__name__ = _PROGRAM_NAME
    namespace = vars(module)
    # Also objects to which only a class or another function refers.
    defined = [each for each in gc.get_objects() if issubclass(type(each), _DEFINITIONS)]
    for value in [*namespace.values(), *defined]:
        with suppress(Exception):  # a script's objects may refuse anything
            is_function = isinstance(value, FunctionType)
            if (value.__module__ if is_function else vars(value).get("__module__")) == MODULE_NAME:
                value.__module__ = _PROGRAM_NAME


def _remember_lines(origin: str, source: str | bytes) -> None:
    """Let stack traces show the lines of the text that runs, even if its file is changed."""
    if isinstance(source, str):
        lines = io.StringIO(source, newline=None).readlines()
    else:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        lines = io.TextIOWrapper(io.BytesIO(source), encoding, "replace").readlines()
    # An entry without a time is never compared with the file.
    linecache.cache[origin] = (len(source), None, lines, origin)


def _anonymous_file(source: bytes) -> str:
    """Return the path of a file in memory, by which this process's children find the text of a script."""
    descriptor = os.memfd_create("script")
    _write_all(descriptor, source)
    return f"/proc/{os.getpid()}/fd/{descriptor}"


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _uncover_neighbours(folder: Path) -> None:
    """Let a script import modules in its folder, even if others of these names are imported already.

    :param folder: the script's folder
    """
    with os.scandir(folder) as entries:
        names = {entry.name.removesuffix(".py") for entry in entries if _is_importable(entry)}
    hidden = {name for name in names if name in sys.modules and not _is_kept(name)}
    if not hidden:
        return  # to look at all modules takes a millisecond, in a process that was forked a moment ago
    for name in [name for name in sys.modules if name.partition(".")[0] in hidden]:
        del sys.modules[name]


def _is_importable(entry: "os.DirEntry[str]") -> bool:
    return entry.name.endswith(".py") or os.path.exists(os.path.join(entry.path, "__init__.py"))


def _is_kept(name: str) -> bool:
    """Return whether a module stays: one of this package, or one that Python imports by itself."""
    spec = getattr(sys.modules[name], "__spec__", None)
    return name in _KEPT or spec is None or spec.origin in ("built-in", "frozen")


def _check_out(script: GitScript) -> Path:
    """Check the commit of a script out in this process, and return the file of the script.

    The server does that in another process, and gives its workers the file.
    """
    # Imported late: workers do not need it.
    from .. import gitmanager
    from ..domain.repositories import check_place

    check_place(script)
    folder = TemporaryFolder()
    _checked_out.append(folder)
    mirror, source = folder.path / "mirror.git", folder.path / "source"
    variables = dict(os.environ)
    gitmanager.prepare_process()
    try:
        commit = gitmanager.find_commit(script.git_args, mirror, LOGGER.info)
        gitmanager.check_out(commit, mirror, source, LOGGER.info, script.git_args.repository)
        for note in gitmanager.read_notes(source):
            LOGGER.warning("%s", note)
    finally:
        os.environ.clear()
        os.environ.update(variables)
    return gitmanager.find_script(script, source)


_checked_out: list[TemporaryFolder] = []
"""Folders of scripts from git, which may import from there as long as they run."""
