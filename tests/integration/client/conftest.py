"""A controller for all tests of this folder that do not end its server."""

from collections.abc import Iterator

import pytest
from tests.support.oet_stack import OetStack, oet_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    with oet_stack(tmp_path_factory.mktemp("stack")) as stack, stack.controller():
        yield stack
