"""Syntax trees, made while other code makes some, too."""

import ast
import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ska_oso_oet.procedure.domain.syntax import parse_module

_SOURCE = "".join(
    f"def main(a, b=(1, [2, (3, {{4: {number}}})])):\n    return [each for each in (a, b)]\n"
    for number in range(60)
)


@contextmanager
def busy_collector(callback: Callable[[str, dict[str, int]], None]) -> Iterator[None]:
    """Search for garbage often, and call a function each time."""
    before = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(callback)


def test_scripts_are_parsed_by_several_threads_at_once() -> None:
    def give_way(*_: object) -> None:
        time.sleep(0)

    with busy_collector(give_way), ThreadPoolExecutor(4) as readers:
        read = list(readers.map(lambda number: parse_module(_SOURCE, f"{number}.py"), range(20)))
    assert {len(tree.body) for tree in read} == {60}


def test_a_script_is_parsed_although_a_traceback_is_made_meanwhile() -> None:
    """A search for garbage may let other code run; where it shows an exception, it parses a line."""
    interrupted = 0

    def show(phase: str, _: object) -> None:
        nonlocal interrupted
        if phase == "start" and interrupted < 5:
            interrupted += 1
            ast.parse("f(1, (2, 3))")

    with busy_collector(show):
        tree = parse_module(_SOURCE, "script.py")
    assert interrupted == 5
    assert len(tree.body) == 60
