"""Packages of a script from git: those of its own header, or those of its repository's project."""

from pathlib import Path
from typing import NamedTuple

from ska_oso_oet.model import GitScript

from ..domain.errors import ScriptDefectiveError
from ..domain.requirements import ScriptHeader, read_header
from ..domain.source import read_beginning
from ..gitmanager import find_script
from .projects import describes_environment


class PackageSource(NamedTuple):
    """Source of the packages of a script from git.

    :param header: the script's header, if that is the source; else the project is, where that was requested
    :param note: a sentence for people, if the script's header is ignored; else empty
    """

    header: ScriptHeader | None = None
    note: str = ""


def package_source(script: GitScript, source: Path) -> PackageSource:
    """Return the source of the packages of a script from git. Reads files.

    The project of the repository does, where the script asks for an environment and the repository describes
    one. Else the header of the script does, as for scripts that are not from git.

    :param script: the script
    :param source: folder with the files of its commit
    :raises GitError: if the script is not there
    :raises ScriptError: if the header counts, and cannot be used
    """
    text = read_beginning(find_script(script, source))
    if not (script.create_env and describes_environment(source)):
        return PackageSource(read_header(text, script.name))
    try:
        ignored = read_header(text, script.name) is not None
    except ScriptDefectiveError:
        ignored = True
    if not ignored:
        return PackageSource()
    return PackageSource(
        note=f"The header of {script.name} (PEP 723) is ignored, because the repository has a project: "
        "create the procedure without create_env to have the packages of the header."
    )
