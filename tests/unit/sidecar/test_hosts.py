"""The names that a service is known by."""

import pytest

from ska_oso_oet.sidecar.hosts import KnownHosts, is_loopback


@pytest.mark.parametrize(
    ("host", "arrived_at"),
    [
        ("10.1.2.3:5000", "10.1.2.3"),
        ("[2001:DB8::1]:5000", "2001:db8::1"),
        ("10.1.2.3", "::ffff:10.1.2.3"),
    ],
)
def test_the_address_at_which_a_connection_arrives_is_a_name(host: str, arrived_at: str) -> None:
    known = KnownHosts(())
    assert known.admit(host, arrived_at)
    assert known.admit_origin(f"http://{host}", host, arrived_at)
    assert not known.admit(host, "10.9.9.9")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "oet.example", "localhost.example"])
def test_what_others_reach(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("origin", "host", "admitted"),
    [
        ("http://localhost:5000", "localhost:5000", True),
        ("http://LOCALHOST:5000", "localhost:5000", True),
        ("http://localhost", "localhost:80", True),
        ("https://oet.example", "oet.example", True),
        ("https://oet.example", "oet.example:443", True),
        ("https://oet.example:8443", "oet.example:8443", True),
        ("http://localhost:8080", "localhost:5000", False),
        ("http://localhost", "localhost:5000", False),
        ("http://127.0.0.1:5000", "localhost:5000", False),
        ("http://oet.example:9000", "oet.example", False),
        ("http://oet.example", "oet.example:5000", False),
        # a proxy that puts its own name, or that of this machine, into Host
        ("https://oet.example", "127.0.0.1:5000", True),
        ("https://oet.example:9000", "127.0.0.1:5000", False),
        ("http://localhost", "oet.example:5000", False),
    ],
)
def test_a_page_at_another_port_is_a_page_of_another_program(origin: str, host: str, admitted: bool) -> None:
    assert KnownHosts(["oet.example"]).admit_origin(origin, host, "127.0.0.1") is admitted
