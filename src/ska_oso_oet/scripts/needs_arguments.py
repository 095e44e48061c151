"""A script whose functions have parameters: arguments that do not fit are refused before it runs."""

from typing import Any

_configuration: dict[str, Any] = {}


def init(subarray_id: int, *, simulate: bool = True) -> None:
    """Take the arguments of Create.

    :param subarray_id: subarray to work with
    :param simulate: whether to simulate the hardware
    """
    _configuration.update(subarray_id=subarray_id, simulate=simulate)


def main(target: str, exposure: float = 1.0) -> None:
    """Take the arguments of Start.

    :param target: the target
    :param exposure: for how long, in seconds
    """
    print(f"Observing {target} for {exposure} s with {_configuration}")
