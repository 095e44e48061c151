"""The context: values that operators have set for all scripts."""

import copy
import os
from collections.abc import Iterator, Mapping
from typing import Any

from . import link


class Context(Mapping[str, Any]):
    """The attribute ``scriptContext`` of the controller as it is now, read-only.

    It changes while a script runs. Outside of the OET, the environment of the process defines it.
    Its first member is ``wait_for_qa_ready``: whether a script waits until the quality assessment is ready.
    """

    def __getitem__(self, name: str) -> Any:
        return copy.deepcopy(_current()[name])

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(_current()))

    def __len__(self) -> int:
        return len(_current())

    def __repr__(self) -> str:
        return f"<context {dict(_current())!r}>"


def _current() -> Mapping[str, Any]:
    if (oet := link.connected) is not None:
        return oet.context()
    # Imported late: importing this package must not delay a script.
    from ska_oso_oet.model import default_context

    return default_context(os.environ)


context = Context()
"""The context at present: values that operators have set for all scripts; see `Context`."""
