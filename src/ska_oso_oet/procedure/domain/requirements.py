"""Headers of scripts (PEP 723): the packages and the Python that a script needs."""

import hashlib
import io
import platform
import re
import tokenize
import tomllib
from typing import Any, NamedTuple

from .errors import ScriptDefectiveError

_MARK = "# /// script"
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


class ScriptHeader(NamedTuple):
    """The header of a script that needs packages.

    :param text: the header, as it is written in the script
    """

    text: str

    @property
    def digest(self) -> str:
        """Identifies the header: scripts with the same one can share an environment."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_header(text: str | bytes, name: str) -> ScriptHeader | None:
    """Return the header of a script, None if it needs no packages.

    :param text: the script, or its beginning
    :param name: name of the script, for the error message
    :raises ScriptDefectiveError: if the header cannot be understood, or the script requires another Python
    """
    if (text if isinstance(text, str) else text.decode("latin-1")).find(_MARK) < 0:
        return None
    found = [block for block in _BLOCK.finditer(_lines(text)) if block["type"] == "script"]
    if not found:
        return None
    if len(found) > 1:
        raise ScriptDefectiveError(f"{name} has {len(found)} headers '{_MARK}': leave one of them")
    lines = found[0]["content"].splitlines(keepends=True)
    content = "".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        described = tomllib.loads(content)
        dependencies = _dependencies(described)
        python = described.get("requires-python")
        fits = python is None or fits_python(python)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ScriptDefectiveError(
            f"the header '{_MARK}' of {name} cannot be understood: {reason}; fix the header"
        ) from error
    if not fits:
        raise ScriptDefectiveError(
            f"{name} requires Python {python} by its header '{_MARK}', but the OET runs Python "
            f"{platform.python_version()}: change the script and its requires-python"
        )
    return ScriptHeader(f"{found[0].group()}\n") if dependencies else None


def fits_python(wanted: Any) -> bool:
    """Return whether the Python of this process is one of those that are wanted.

    :param wanted: version specifiers, as in ``>=3.11,<4``
    :raises ValueError: if these are not such specifiers
    """
    # Imported late: few scripts and projects need it.
    from packaging.specifiers import SpecifierSet

    if not isinstance(wanted, str):
        raise ValueError(f"requires-python is not a text: {wanted!r}")
    return SpecifierSet(wanted).contains(platform.python_version(), prereleases=True)


def _dependencies(described: dict[str, Any]) -> list[str]:
    """Return the requirements of a header.

    :raises ValueError: if it is not a list of requirements
    """
    from packaging.requirements import Requirement

    dependencies = described.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(each, str) for each in dependencies):
        raise ValueError("dependencies is not a list of texts")
    for each in dependencies:
        Requirement(each)
    return dependencies


def _lines(text: str | bytes) -> str:
    """Return a text with the line ends of Unix."""
    if isinstance(text, str):
        return io.StringIO(text, newline=None).read()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
    except SyntaxError:  # the text is not valid Python, which is reported elsewhere
        encoding = "utf-8"
    return io.TextIOWrapper(io.BytesIO(text), encoding, "replace").read()
