"""``/``: the control page.

The page is made of the files in the folder ``page``; see `page_files`. They are served below a name that is
made of what they contain, so that a browser keeps them as long as they are the same, and never mixes two
versions.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from .addresses import SITE_ROOT
from .page_files import join_modules, join_styles
from .security_headers import CONTROL_PAGE_POLICY, POLICY_HEADER
from .service import SUBARRAY
from .settings import ASSETS, SUBARRAYS

router = APIRouter(include_in_schema=False)

_DOCUMENT = "index.html"
_MAIN = "main.js"
_STYLES = "css/page.css"
_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_KEEP = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _Part:
    """A file of the page.

    :param content: its bytes
    :param packed: the same, packed by gzip
    :param media_type: its media type
    """

    content: bytes
    packed: bytes
    media_type: str

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Return the answer to a request for it."""
        packs = "gzip" in request.headers.get("accept-encoding", "")
        encoding = {"Content-Encoding": "gzip"} if packs else {}
        return Response(
            self.packed if packs else self.content,
            headers={**headers, **encoding, "Vary": "Accept-Encoding"},
            media_type=self.media_type,
        )


def _part(content: bytes, media_type: str) -> _Part:
    return _Part(content, gzip.compress(content, 9, mtime=0), media_type)


@cache
def _assets() -> dict[str, _Part]:
    """Return the files that a browser loads, by their paths."""
    sources = {kind: _sources(f".{kind}") for kind in _MEDIA_TYPES}
    files = {
        **join_modules(sources["js"], _MAIN),
        _STYLES: join_styles(sources["css"], _STYLES),
        **sources["svg"],
    }
    return {path: _part(text.encode(), _MEDIA_TYPES[path.rpartition(".")[2]]) for path, text in files.items()}


def _sources(ending: str) -> dict[str, str]:
    """Return the texts of all files of the page whose names have an ending, by their paths."""
    found: dict[str, str] = {}

    def look(folder: Traversable, path: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                look(entry, f"{path}{entry.name}/")
            elif entry.name.endswith(ending):
                found[f"{path}{entry.name}"] = entry.read_text(encoding="utf-8")

    look(_folder(), "")
    return found


@cache
def _version() -> str:
    """Return a name that is derived from the contents of all files."""
    digest = hashlib.sha256(_folder().joinpath(_DOCUMENT).read_bytes())
    for path, part in _assets().items():
        digest.update(f"\0{path}\0".encode() + part.content)
    return digest.hexdigest()[:16]


@cache
def _document(site_root: str) -> tuple[_Part, str]:
    """Return the document and its entity tag.

    :param site_root: path below which an ingress serves this service
    """
    folder = f"{ASSETS.removeprefix('/')}/{_version()}"
    # Without it, relative addresses would be wrong where the path of the page has no slash at its end.
    base = f'<base href="{site_root}/">' if site_root else ""
    text = _folder().joinpath(_DOCUMENT).read_text(encoding="utf-8")
    for name, value in (("base", base), ("assets", folder)):
        text = text.replace(f"{{{{{name}}}}}", value)
    content = text.encode()
    return _part(content, "text/html; charset=utf-8"), f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _folder() -> Traversable:
    return resources.files(__package__).joinpath("page")


@router.get("/")
async def get_page(request: Request) -> Response:
    """Return the control page; below the number of a subarray, a redirection to the view of that subarray."""
    root: str = request.scope[SITE_ROOT]
    if SUBARRAY in request.scope:
        target = f"{root}/#{SUBARRAYS}/{request.scope[SUBARRAY]}"
        return RedirectResponse(target, HTTPStatus.TEMPORARY_REDIRECT)
    document, tag = _document(root)
    headers = {"ETag": tag, "Cache-Control": "no-cache", POLICY_HEADER: CONTROL_PAGE_POLICY}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return document.response(request, headers)


@router.get(f"{ASSETS}/{{version}}/{{path:path}}")
async def get_asset(version: str, path: str, request: Request) -> Response:
    """Return a part of the page."""
    part = _assets().get(path)
    if part is None or version != _version():
        raise HTTPException(HTTPStatus.NOT_FOUND, "The page has no such part: load the page again.")
    return part.response(request, {"Cache-Control": _KEEP, "ETag": f'"{version}"'})
