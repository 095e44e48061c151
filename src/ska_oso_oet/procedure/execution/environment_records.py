"""Descriptions of the Python environments that scripts ran in: each once, under the name of its content."""

import hashlib
import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from ska_oso_oet.model import PythonEnvironment

LOGGER = logging.getLogger(__name__)

_KEPT = 200
"""How many are kept; those that were used last."""


class EnvironmentRecords:
    """Keeps descriptions of environments in files.

    :param folder: the state directory
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "environments"
        self._digests: dict[bytes, str] = {}

    def keep(self, environment: Any) -> str:
        """Keep an environment, and return the SHA-256 by which `read` finds it.

        :param environment: JSON form of a `PythonEnvironment`
        :raises ValueError: if it is not that
        """
        # Most scripts run in the same one: it is validated and written once.
        given = orjson.dumps(environment)
        if (known := self._digests.get(given)) is not None:
            return known
        valid = PythonEnvironment.model_validate(environment)
        text = json.dumps(valid.model_dump(), sort_keys=True).encode()
        digest = hashlib.sha256(text).hexdigest()
        try:
            self._write(digest, text)
        except OSError as error:
            # An observation must not fail because of that.
            LOGGER.warning("The list of a script's packages cannot be written: %s", error)
        if len(self._digests) >= _KEPT:
            self._digests.clear()
        self._digests[given] = digest
        return digest

    def _write(self, digest: str, text: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{digest}"
        draft.write_bytes(text)
        draft.rename(self._folder / f"{digest}.json")
        files = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[_KEPT:]:
            path.unlink(missing_ok=True)

    def read(self, digest: str) -> PythonEnvironment | None:
        """Return an environment, None if it is not kept."""
        with suppress(OSError, ValueError):
            return PythonEnvironment.model_validate_json((self._folder / f"{digest}.json").read_bytes())
        return None
