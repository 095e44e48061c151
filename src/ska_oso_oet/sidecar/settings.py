"""How a sidecar is set up."""

from dataclasses import dataclass

from ska_oso_oet.client import DEFAULT_DEVICE, DEFAULT_TIMEOUT

API = "/api/v1.0"
"""Base path of the service."""

API_ALIAS = "/api/v1"
"""Base path as the documentation of the OET 5.2.0 writes it."""


@dataclass(frozen=True)
class Settings:
    """What can be set about a sidecar. All durations are in seconds.

    :param device: name of the controller's device
    :param root_path: path below which an ingress serves this service, e.g. ``/site/oet``
    :param token: bearer token for all that changes state; None if everybody may
    :param private: whether reading needs the token, too
    :param max_lag: how many events a stream may be behind before it is dropped
    :param tango_timeout: how long the device may take to answer
    :param stop_timeout: how long a request to stop a procedure waits for the end of that
    :param heartbeat: time between two comments in a stream
    :param max_body: greatest size of a request, in bytes
    :param body_timeout: how long a client may pause while it sends a request
    :param figures_timeout: how long figures wait for those that the device has; Prometheus waits 10 s
    """

    device: str = DEFAULT_DEVICE
    root_path: str = ""
    token: str | None = None
    private: bool = False
    max_lag: int = 50_000
    tango_timeout: float = DEFAULT_TIMEOUT
    stop_timeout: float = 60.0
    heartbeat: float = 15.0
    max_body: int = 1 << 20
    body_timeout: float = 30.0
    figures_timeout: float = 3.0
