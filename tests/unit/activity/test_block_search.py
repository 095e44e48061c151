"""Searches for Scheduling Blocks: they are bounded, and end."""

import json
import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.activity.application.block_search import BlockSearch
from ska_oso_oet.activity.application.daemon_pool import DaemonPool
from ska_oso_oet.model import FoundSchedulingBlock, SchedulingBlockPage, SchedulingBlockQuery
from ska_oso_oet.oda import OdaUnavailableError, SBDefinition, SBInstance


class MemoryOda:
    """An ODA of what it is given.

    :param blocks: its Scheduling Blocks
    """

    def __init__(self, blocks: list[FoundSchedulingBlock]) -> None:
        self.blocks = blocks
        self.may_answer = threading.Event()
        self.may_answer.set()

    def get_sbdefinition(self, sbd_id: str, version: int | None = None) -> SBDefinition:
        raise OdaUnavailableError("it is only searched here")

    def find_sbdefinitions(self, part: str, limit: int) -> list[FoundSchedulingBlock]:
        assert self.may_answer.wait(PATIENCE)
        return [block for block in self.blocks if part in block.sbd_id][:limit]

    def store_sbinstance(self, instance: SBInstance) -> None:
        raise OdaUnavailableError("it is only searched here")

    def close(self) -> None:
        pass


def block(number: int, **more: Any) -> FoundSchedulingBlock:
    return FoundSchedulingBlock(sbd_id=f"sbd-{number:04}", version=1, changed=1.0, **more)


def found(oda: MemoryOda, **query: Any) -> tuple[SchedulingBlockPage, str]:
    search = BlockSearch(lambda: oda, DaemonPool("search", 1))
    text = search.begin(SchedulingBlockQuery(**query)).result(PATIENCE)
    return SchedulingBlockPage.model_validate_json(text), text


def test_it_is_known_whether_there_are_more() -> None:
    oda = MemoryOda([block(number) for number in range(3)])
    for limit, more in ((2, True), (3, False)):
        page, _ = found(oda, limit=limit)
        assert (len(page.sbds), page.more) == (limit, more)


def test_what_is_found_fits_into_the_result_of_a_command() -> None:
    names = [f"{number} ünusually löng" for number in range(20)]
    page, text = found(MemoryOda([block(number, activities=names) for number in range(200)]), limit=200)
    assert 20 < len(page.sbds) < 200
    assert page.more
    assert page.sbds[-1].activities == names
    assert len(text) < 64 * 1024
    long = block(1, activities=["x" * 1_000] * 100, defect=None)
    page, text = found(MemoryOda([long, block(2, defect="y" * 100_000)]))
    assert [each.activities_omitted + len(each.activities) for each in page.sbds] == [100, 0]
    assert len(text) < 10_000


def test_what_is_wrong_with_the_oda_is_raised() -> None:
    def away() -> MemoryOda:
        raise OdaUnavailableError("it is unavailable")

    search = BlockSearch(away, DaemonPool("search", 1))
    with pytest.raises(OdaUnavailableError, match="it is unavailable"):
        search.begin(SchedulingBlockQuery()).result(PATIENCE)


def test_searches_end_while_the_oda_does_not_answer() -> None:
    oda = MemoryOda([])
    oda.may_answer.clear()
    search = BlockSearch(lambda: oda, DaemonPool("search", 1))
    asked, waiting, other = (search.begin(SchedulingBlockQuery()) for _ in range(3))
    assert other.cancel()
    search.close()
    for ended in (asked, waiting):
        with pytest.raises(CancelledError):
            ended.result(PATIENCE)
    oda.may_answer.set()
    assert json.loads(search.begin(SchedulingBlockQuery()).result(PATIENCE))["sbds"] == []
