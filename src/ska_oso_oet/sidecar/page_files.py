"""Joins the modules and the style sheets of the control page: a browser loads few files, instead of fifty.

The sources stay plain ES modules and CSS. They keep to a narrow form, which is checked here: names are
imported and exported one by one, each import is one line, and no modules import each other in a circle.

In a joined file each module is a block, so that its own names stay its own. The blocks have the order in
which a browser evaluates modules. The object ``modules`` has what each module exports, by its path.
"""

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r'import (?:(?P<names>\{ \w+(?:, \w+)* \}) from )?"(?P<path>[^"]+)";')
_EXPORT = re.compile(r"export (?=(?:const|class|(?:async )?function\*?) (?P<name>\w+))")
_LATER = re.compile(r'\bawait import\("(?P<path>[^"]+)"\)')
_STYLE = re.compile(r'^@import "(?P<path>[^"]+)";$', re.MULTILINE)


class PageSourceError(ValueError):
    """A source of the page has a form that cannot be joined."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} cannot be joined with other files of the page: {problem}.")


def join_modules(sources: Mapping[str, str], entry: str) -> dict[str, str]:
    """Return the files that a browser loads, by their paths.

    The entry has all modules that it imports. A module that is loaded later, by ``await import(…)``, has
    those that it imports and the entry does not have.

    :param sources: texts of the modules, by their paths
    :param entry: path of the module that is loaded first
    :raises PageSourceError: if a module has another form, or imports what is not there
    """
    first = _Joined(sources, entry)
    files = {entry: f"const modules = {{}};\n{first.text}export {{ modules }};\n"}
    loaded: set[str] = set()
    for path in sorted(first.later):
        later = _Joined(sources, path, first.exports)
        if later.later or not loaded.isdisjoint(later.blocks):
            raise PageSourceError(
                path, "only the first file loads others, and no two of those have one module"
            )
        loaded |= later.blocks.keys()
        files[path] = f'import {{ modules }} from "{_relative(path, entry)}";\n{later.text}'
    return files


def join_styles(sources: Mapping[str, str], entry: str) -> str:
    """Return a style sheet in which each line ``@import "other.css";`` is replaced by that style sheet.

    :param sources: texts of the style sheets, by their paths
    :param entry: path of the style sheet
    :raises PageSourceError: if it imports what is not there
    """

    def text(match: re.Match[str]) -> str:
        return _source(sources, _absolute(entry, match["path"]))

    return _STYLE.sub(text, _source(sources, entry))


class _Joined:
    """A module, after all modules that it imports.

    :param sources: texts of the modules, by their paths
    :param entry: path of the module
    :param known: what modules export that are in a file which is loaded before, by their paths
    :ivar exports: the names that modules export, by their paths
    :ivar blocks: the modules as blocks, in the order in which they are evaluated, by their paths
    :ivar later: paths of the modules that these load later
    """

    def __init__(
        self, sources: Mapping[str, str], entry: str, known: Mapping[str, list[str]] | None = None
    ) -> None:
        self._sources = sources
        self._entry = entry
        self._known = known or {}
        self.exports: dict[str, list[str]] = dict(self._known)
        self.blocks: dict[str, str] = {}
        self.later: set[str] = set()
        self._add(entry)

    @property
    def text(self) -> str:
        """All blocks."""
        return "".join(self.blocks.values())

    def _add(self, path: str) -> None:
        if path in self.blocks or path in self._known:
            return
        if path in self.exports:
            raise PageSourceError(path, "it imports itself by way of others")
        exports = self.exports[path] = []
        lines = [self._line(path, line, exports) for line in _source(self._sources, path).splitlines()]
        lines.append(f'modules["{path}"] = {{ {", ".join(exports)} }};')
        self.blocks[path] = "\n".join([f"{{ // {path}", *lines, "}\n"])

    def _line(self, path: str, line: str, exports: list[str]) -> str:
        if match := _IMPORT.fullmatch(line):
            target = _absolute(path, match["path"])
            self._add(target)
            names = re.findall(r"\w+", match["names"] or "")
            if missing := [name for name in names if name not in self.exports[target]]:
                raise PageSourceError(path, f"{target} does not export {', '.join(missing)}")
            return f'const {match["names"]} = modules["{target}"];' if match["names"] else ""
        if match := _EXPORT.match(line):
            exports.append(match["name"])
            line = line.removeprefix("export ")
        elif line.startswith(("import ", "export ")):
            raise PageSourceError(
                path, f"{line!r} has another form than the imports and exports of this page"
            )
        return _LATER.sub(lambda match: self._load_later(_absolute(path, match["path"])), line)

    def _load_later(self, path: str) -> str:
        self.later.add(path)
        return f'await import("{_relative(self._entry, path)}")'


def _source(sources: Mapping[str, str], path: str) -> str:
    if path not in sources:
        raise PageSourceError(path, "it does not exist")
    return sources[path]


def _absolute(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _relative(path: str, target: str) -> str:
    relative = posixpath.relpath(target, posixpath.dirname(path) or ".")
    return relative if relative.startswith(".") else f"./{relative}"
