"""A generator as main: each of its yields is a checkpoint, and the text that it yields is the label."""

import time
from collections.abc import Iterator


def main(targets: tuple[str, ...] = ("Vega", "Deneb", "Altair"), seconds: float = 1.0) -> Iterator[str]:
    """Observe some targets, one after the other.

    :param targets: their names
    :param seconds: how long each takes
    """
    for target in targets:
        yield f"slew to {target}"
        time.sleep(seconds)
        yield f"observe {target}"
        time.sleep(seconds)
        print(f"{target} is observed")
