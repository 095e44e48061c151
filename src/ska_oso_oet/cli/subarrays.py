"""Controllers of a gateway, and the selection of one of them."""

import re
from http import HTTPStatus

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from .connection import HttpSession
from .errors import CommandError, RefusedError

_API = re.compile(r"(/subarrays/\d+)?/api/v1(\.0)?\Z")


class ServedController(BaseModel):
    """A controller that a service serves."""

    subarray_id: int
    device: str
    base: str
    available: bool


_LIST = TypeAdapter(list[ServedController])


def served_controllers(http: HttpSession) -> list[ServedController]:
    """Return the controllers that a service serves; none if the service does not know of several.

    :param http: connections to the service
    :raises CommandError: if the service is unavailable, or its answer cannot be read
    """
    try:
        return _LIST.validate_python(http.request_list("/subarrays"))
    except RefusedError as error:
        if error.status == HTTPStatus.NOT_FOUND:  # services up to 5.2.0
            return []
        raise
    except ValidationError as error:
        raise CommandError(f"The server's list of subarrays cannot be understood: {error}") from error


def controller_url(url: str, controller: ServedController) -> str:
    """Return the URL of the REST API of one controller.

    It has the host of the service that was asked: a token is sent to no other host.

    :param url: of the REST API of the service
    :param controller: as the service describes it
    """
    if _API.search(url):
        return _API.sub(f"/subarrays/{controller.subarray_id}/api/v1.0", url)
    return str(httpx.URL(url).copy_with(path=httpx.URL(controller.base).path))


def chosen_url(http: HttpSession, subarray_id: int, is_argument: bool) -> str | None:
    """Return the URL of the controller that a number chooses; None where a service has one controller only.

    :param http: connections to the service
    :param subarray_id: number of the subarray
    :param is_argument: whether the number is also an argument of a script, and may name any subarray then
        where there is nothing to choose
    :raises CommandError: if the service does not have that subarray
    """
    served = served_controllers(http)
    if len(served) <= 1 and is_argument:
        return None
    for controller in served:
        if controller.subarray_id == subarray_id:
            return controller_url(http.url, controller) if len(served) > 1 else None
    if not served:
        raise CommandError(f"The OET at {http.url} does not support subarrays: omit --subarray_id")
    known = ", ".join(f"{each.subarray_id} ({each.device})" for each in served)
    raise CommandError(f"The OET at {http.url} does not have subarray {subarray_id}. It has: {known}")
