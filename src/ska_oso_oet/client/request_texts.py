"""Requests as texts that Tango can carry: these are Latin-1, so JSON must be ASCII."""

import json

from ska_oso_oet.model import Model

from .errors import InvalidRequestError


def request_json(request: Model) -> str:
    """Return a request as JSON in ASCII.

    :raises InvalidRequestError: if it cannot be written as JSON
    """
    try:
        return json.dumps(request.model_dump(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"The request cannot be written as JSON: {error}") from None


def script_argument(script_uri: str) -> str:
    """Return the URI of a script, or a request that names it if it is not ASCII."""
    return script_uri if script_uri.isascii() else json.dumps({"script_uri": script_uri})
