"""A queue over script execution and activities, without a device."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.queues import QueueSite

from ska_oso_oet.queue import QueueSettings


@pytest.fixture
def site(tmp_path: Path) -> Iterator[QueueSite]:
    site = QueueSite(tmp_path)
    try:
        yield site
    finally:
        site.close()


@pytest.fixture
def tolerant(tmp_path: Path) -> Iterator[QueueSite]:
    """A queue that goes on when an entry fails or is stopped."""
    site = QueueSite(tmp_path, settings=QueueSettings(stop_on_failure=False))
    try:
        yield site
    finally:
        site.close()
