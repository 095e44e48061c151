"""Requests over HTTP that wait as long as this machine may need: httpx itself gives up after 5 s."""

from functools import partial

import httpx
from tests.support.patience import PATIENCE

get = partial(httpx.get, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
put = partial(httpx.put, timeout=PATIENCE)
delete = partial(httpx.delete, timeout=PATIENCE)
