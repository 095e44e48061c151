"""Delays between attempts."""

from itertools import islice

from ska_oso_oet.model import Backoff


def test_delays_double_up_to_the_longest_until_an_attempt_succeeds() -> None:
    backoff = Backoff(0.25, 1.5)
    assert list(islice(backoff, 5)) == [0.25, 0.5, 1.0, 1.5, 1.5]
    backoff.reset()
    assert next(backoff) == 0.25
