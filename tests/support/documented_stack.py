"""Stacks that stand for the one that a documentation page shows, whatever their ports and devices are."""

import re
import shlex
from dataclasses import astuple, dataclass

from oet_devices.tools.stack import main as oet_stack

_READY = re.compile(r"OET ready: TANGO_HOST=(\S+) DEVICE=(\S+) REST=(\S+)/api/v1\.0 PAGE=\S+/")
COMMAND = "oet-stack"
"""The command that starts a stack."""
ANY_PORTS = " --tango-port=0 --rest-port=0"
"""Options that let it choose its ports; they count more than those that were given before them."""


@dataclass(frozen=True)
class Stack:
    """Addresses of a stack.

    :param tango: host and port of its Tango database
    :param device: its first controller
    :param root: URL of its REST service, without ``/api/v1.0``
    """

    tango: str
    device: str
    root: str

    @classmethod
    def find(cls, text: str) -> "Stack | None":
        """Return the stack that has written in a text that it is ready."""
        match = _READY.search(text)
        return cls(*match.groups()) if match else None

    @property
    def ready_line(self) -> str:
        """Line that ``oet-stack`` prints when all is up."""
        return (
            f"OET ready: TANGO_HOST={self.tango} DEVICE={self.device} "
            f"REST={self.root}/api/v1.0 PAGE={self.root}/"
        )

    def controller(self, number: int) -> "Stack":
        """Return the stack as it is for clients of one of its controllers.

        :param number: of its subarray
        """
        return Stack(self.tango, f"{self.device[:-2]}{number:02}", f"{self.root}/subarrays/{number}")

    def to_type(self, text: str) -> str:
        """Return a text of a page, with the addresses of this stack."""
        for shown, real in zip(astuple(SHOWN), astuple(self), strict=True):
            text = text.replace(shown, real)
        return text

    def to_show(self, text: str) -> str:
        """Return a text that was printed, with the addresses of the pages."""
        for shown, real in zip(astuple(SHOWN), astuple(self), strict=True):
            text = text.replace(real, shown)
        return text


SHOWN = Stack("127.0.0.1:10000", "mid-oet/controller/01", "http://127.0.0.1:5000")
"""The stack that pages show: that of the default ports."""


def check_options(command: str) -> None:
    """Read the options of an ``oet-stack`` command, and run nothing.

    :param command: as it is typed
    :raises click.UsageError: if an option does not exist, or has a wrong value
    """
    name, *options = shlex.split(command)
    assert name == COMMAND, f"a block for the shared stack has {command}"
    oet_stack.make_context(name, options)
