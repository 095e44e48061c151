"""Value of the fixture ``oet``."""

import json
import sys
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from pubsub import pub

from ska_oso_oet.model import FileSystemScript, ProcedureInput
from ska_oso_oet.mptools.encoding import to_json
from ska_oso_oet.procedure.worker.functions import call
from ska_oso_oet.procedure.worker.loader import MODULE_NAME, load_script
from ska_oso_oet.tango import SKUID_URL_VARIABLE, TangoDeviceProxyFactory
from ska_oso_oet.tango import _executor as tango_executor

from ._telescope import SimulatedTelescope, SubarrayDevice


class PublishedEvent(NamedTuple):
    """An event that a script has published.

    :param topic: its topic
    :param fields: its data, as clients of the OET receive them
    """

    topic: str
    fields: dict[str, Any]


class LoadedScript:
    """A script whose top level has been executed.

    :param module: the script as a module
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``init``, as Create does.

        :raises ArgumentsError: if the arguments do not fit its signature
        :raises BaseException: any exception of the script
        """
        return call(self.module, "init", ProcedureInput(*args, **kwargs))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``main``, as Start does, and return its result.

        :raises ArgumentsError: if the arguments do not fit its signature
        :raises BaseException: any exception of the script
        """
        return call(self.module, "main", ProcedureInput(*args, **kwargs))


class ScriptBench:
    """Runs scripts in the process of a test.

    :param monkeypatch: undoes what is changed for the scripts at the end of the test
    :ivar events: the events that were published since the test began, in order
    :ivar telescope: the devices that scripts reach
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.events: list[PublishedEvent] = []
        self.telescope = SimulatedTelescope()
        pub.subscribe(self._note, pub.ALL_TOPICS)
        monkeypatch.delenv(SKUID_URL_VARIABLE, raising=False)
        telescope = self.telescope
        monkeypatch.setattr(TangoDeviceProxyFactory, "__call__", lambda _, name: telescope.device(name))
        # Executors share subscriptions: those of an earlier test belong to its telescope.
        tango_executor._subscriptions_of.cache_clear()  # noqa: SLF001

    @property
    def topics(self) -> list[str]:
        """Topics of the events that were published, in order."""
        return [event.topic for event in self.events]

    def load(self, path: str | PathLike[str]) -> LoadedScript:
        """Load a script: its top level is executed.

        :param path: its file
        :raises ScriptError: if there is no such file, or it is not valid Python
        """
        self._monkeypatch.setattr(sys, "path", sys.path.copy())
        self._monkeypatch.delitem(sys.modules, MODULE_NAME, raising=False)
        self._monkeypatch.setattr(sys, "argv", [str(path)])
        return LoadedScript(load_script(FileSystemScript(Path(path).resolve().as_uri())).module)

    def subarray(self, number: int) -> SubarrayDevice:
        """Return a subarray of the telescope.

        :param number: 1 or more
        """
        return self.telescope.subarray(number)

    def close(self) -> None:
        """End the telescope, and record no more events."""
        pub.unsubscribe(self._note, pub.ALL_TOPICS)
        sys.modules.pop(MODULE_NAME, None)
        self.telescope.close()
        tango_executor._subscriptions_of.cache_clear()  # noqa: SLF001

    def _note(self, topic_: Any = pub.AUTO_TOPIC, **fields: Any) -> None:
        if fields.get("msg_src") is None:
            fields.pop("msg_src", None)
        self.events.append(PublishedEvent(topic_.getName(), json.loads(to_json(fields))))
