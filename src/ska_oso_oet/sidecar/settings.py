"""Settings of a sidecar."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ska_oso_oet.client import DEFAULT_DEVICE, DEFAULT_TIMEOUT

from .proxies import NO_PROXIES, TrustedProxies
from .token_file import TokenFile

API = "/api/v1.0"
"""Base path of the service."""

SUBARRAYS = "/subarrays"
"""Path below which each controller is served, by its number: ``/subarrays/2/api/v1.0``."""

SESSION = f"{API}/session"
"""Path at which a browser exchanges the token for a cookie."""

ASSETS = "/assets"
"""Path below which the parts of the control page are served."""

API_ALIAS = "/api/v1"
"""Base path as the documentation of the OET 5.2.0 writes it."""


@dataclass(frozen=True)
class Settings:
    """Settings of a sidecar. All durations are in seconds.

    :param devices: names of the controllers' devices, by the numbers of their subarrays; the first one is
        also served without a number
    :param root_path: path below which an ingress serves this service, e.g. ``/site/oet``
    :param token: bearer token for all that changes state; None if everybody may
    :param private: whether reading needs the token, too
    :param token_file: bearer tokens of users, with their rights; None for none
    :param proxies: proxies that are trusted to say who has sent a request
    :param hosts: names that the service is known by, in addition to those of the loopback interface
    :param max_lag: how many events a stream may be behind before it is dropped
    :param tango_timeout: how long the device may take to answer
    :param stop_timeout: how long a request to stop a procedure waits for the end of that
    :param heartbeat: time between two comments in a stream
    :param max_body: greatest size of a request, in bytes
    :param head_timeout: how long the first line and the headers of a request may take to arrive
    :param body_timeout: how long the body of a request may take to arrive
    :param idle_timeout: how long a connection stays open after an answer. Clients and proxies that use theirs
        again must give it up first, or a request may meet the end of its connection: httpx keeps an idle
        connection for 5 s, aiohttp for 15 s, and nginx for 60 s
    :param look_timeout: how long to wait for each controller when availability is reported
    :param figures_timeout: how long figures wait for those that the device has; Prometheus waits 10 s
    """

    devices: Mapping[int, str] = field(default_factory=lambda: {1: DEFAULT_DEVICE})
    root_path: str = ""
    token: str | None = None
    private: bool = False
    token_file: TokenFile | None = None
    proxies: TrustedProxies = NO_PROXIES
    hosts: tuple[str, ...] = ()
    max_lag: int = 50_000
    tango_timeout: float = DEFAULT_TIMEOUT
    stop_timeout: float = 60.0
    heartbeat: float = 15.0
    max_body: int = 1 << 20
    head_timeout: float = 10.0
    body_timeout: float = 30.0
    idle_timeout: float = 75.0
    look_timeout: float = 1.0
    figures_timeout: float = 3.0

    @property
    def is_protected(self) -> bool:
        """Whether a change needs a token."""
        return self.token is not None or self.token_file is not None

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the service itself although it works, and what to do."""
        fault = None if self.token_file is None else self.token_file.fault
        return [] if fault is None else [fault]
