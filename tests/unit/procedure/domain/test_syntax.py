"""Syntax trees, made while other code makes some, too."""

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ska_oso_oet.procedure.domain.syntax import parse_module

_SOURCE = "".join(
    f"def main(a, b=(1, [2, (3, {{4: {number}}})])):\n    return [each for each in (a, b)]\n"
    for number in range(60)
)


@pytest.fixture
def _busy_collector() -> Iterator[None]:
    """Search for garbage often, and let another thread run each time."""
    before = gc.get_threshold()

    def give_way(*_: object) -> None:
        time.sleep(0)

    gc.callbacks.append(give_way)
    gc.set_threshold(50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(give_way)


@pytest.mark.usefixtures("_busy_collector")
def test_scripts_are_parsed_by_several_threads_at_once() -> None:
    with ThreadPoolExecutor(4) as readers:
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

    before = gc.get_threshold()
    gc.callbacks.append(show)
    gc.set_threshold(50)
    try:
        tree = parse_module(_SOURCE, "script.py")
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(show)
    assert interrupted == 5
    assert len(tree.body) == 60
