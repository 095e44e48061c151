"""Script execution and activities without a device, new for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.activity_services import Oet, running_oet


@pytest.fixture
def oet(tmp_path: Path) -> Iterator[Oet]:
    with running_oet(tmp_path) as oet:
        yield oet
