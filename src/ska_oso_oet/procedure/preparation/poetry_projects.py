"""Requirements in poetry's own tables of a project file, in the standard form.

Source: https://python-poetry.org/docs/dependency-specification/
"""

import logging
from collections.abc import Collection, Iterator
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from poetry.core.packages.dependency import Dependency

_MAX_ALTERNATIVES = 16
_MAIN = "main"


class PoetryTables(NamedTuple):
    """Requirements that poetry installs by default.

    :param alternatives: requirements, one set that is to be tried after the other; there is at least one
    :param python: versions of Python that the project can be used with, alternatives separated by ``||``
    :param is_installable: whether other tools can read the requirements of the built package
    """

    alternatives: tuple[tuple[str, ...], ...]
    python: str
    is_installable: bool


def read_tables(source: Path, *, is_package: bool, skipped: Collection[str]) -> PoetryTables:
    """Return the requirements that poetry installs by default.

    Poetry joins alternatives by ``||``, which no other tool knows. So there are several sets of requirements,
    those with the newest versions first.

    :param source: folder with the files of the repository
    :param is_package: whether the project is built: its package then has the requirements of the main group
    :param skipped: groups that are installed otherwise
    :raises ValueError: if poetry's tables cannot be understood
    """
    # Imported late: code that only looks up environments does not need it.
    from poetry.core.factory import Factory

    # Its warnings are for the developers of the project.
    logging.getLogger("poetry.core").setLevel(logging.ERROR)
    try:
        package = Factory().create_poetry(source).package
        groups = {
            str(name): [
                [*_texts(dependency)]
                for dependency in package.dependency_group(name).dependencies
                if not dependency.is_optional()
            ]
            for name in sorted(package.dependency_group_names())
            if name not in skipped
        }
    except Exception as error:  # which exceptions it raises is not documented
        raise ValueError(" ".join(str(error).split())) from error
    is_installable = all(len(texts) == 1 for texts in groups.get(_MAIN, ()))
    if is_package and is_installable:
        groups.pop(_MAIN, None)
    wanted = [texts for group in groups.values() for texts in group]
    alternatives = tuple(islice(product(*wanted), _MAX_ALTERNATIVES))
    return PoetryTables(alternatives, str(package.python_constraint), is_installable)


def _texts(dependency: "Dependency") -> Iterator[str]:
    """Yield a dependency as requirements of PEP 508: one for each range of versions, the newest first."""
    from packaging.requirements import InvalidRequirement, Requirement
    from poetry.core.constraints.version import VersionUnion

    text = dependency.to_pep_508()
    try:
        Requirement(text)
    except InvalidRequirement:
        constraint = dependency.constraint
        if not isinstance(constraint, VersionUnion):
            raise
        for part in reversed(constraint.ranges):
            yield from _texts(dependency.with_constraint(part))
    else:
        yield text
