"""Messages of an operator to a script, delivered to the listeners that it has subscribed with pypubsub.

They are delivered by a thread of their own, ``oet-operator``, one after the other and in order: also while
the main thread waits in a device or in an extension module. Python runs it between two bytecodes of the
others, so that a listener which sets an event, puts an item into a queue, or hands a function to
``loop.call_soon_threadsafe`` needs no lock. A listener that raises is reported in the output of the script,
and the script continues.
"""

import inspect
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pubsub import pub

SOURCE = "OETController"
"""The value of ``msg_src`` for listeners."""

_ALL = pub.ALL_TOPICS


class OperatorMessages:
    """Delivers messages of operators.

    :param relay: the listener that sends everything to the server; it does not get these
    """

    def __init__(self, relay: Callable[..., None]) -> None:
        self._relay = relay
        self._queue: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = queue.SimpleQueue()
        self._started = False

    def deliver(self, topic: str, fields: Mapping[str, Any]) -> None:
        """Deliver a message. Returns at once.

        :param topic: its topic
        :param fields: its data
        """
        self._queue.put((topic, fields))
        if self._started:
            return
        try:
            threading.Thread(target=self._run, name="oet-operator", daemon=True).start()
        except RuntimeError as error:
            _say(f"the message of the operator on {topic} is delivered with the next one: {error}")
        else:
            self._started = True

    def _run(self) -> None:
        while True:
            topic, fields = self._queue.get()
            try:
                self._deliver(topic, fields)
            except Exception:  # after any exception of a listener, the next message is delivered
                traceback.print_exc()

    def _deliver(self, topic: str, fields: Mapping[str, Any]) -> None:
        heard = False
        for listener, about in self._listeners(topic):
            heard = True
            if (call := _call(listener, about, fields)) is None:
                continue
            try:
                call()
            except Exception:  # the other listeners still get the message
                traceback.print_exc()
        if not heard:
            _say(f"no listener subscribes to {topic}: the message of the operator was not delivered")

    def _listeners(self, topic: str) -> Iterator[tuple[Callable[..., Any], Any]]:
        """Yield the listeners to a topic and to those above it, with the topic that they listen to."""
        manager = pub.getDefaultTopicMgr()
        parts = topic.split(".")
        names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        for name in (*names, _ALL):
            about = manager.getTopic(name, okIfNone=True)
            for listener in list(about.getListeners()) if about is not None else ():
                called = listener.getCallable()
                if called is not None and called != self._relay:
                    yield called, about


def _call(listener: Callable[..., Any], about: Any, fields: Mapping[str, Any]) -> Callable[[], Any] | None:
    """Return a call of a listener, None if it does not take the data: that is reported."""
    signature = inspect.signature(listener)
    parameters = signature.parameters.values()
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    given = {"msg_src": SOURCE, **fields}
    if not takes_all and "msg_src" not in signature.parameters:
        del given["msg_src"]
    given |= {each.name: about for each in parameters if each.default is pub.AUTO_TOPIC}
    try:
        signature.bind(**given)
    except TypeError as error:
        name = getattr(listener, "__qualname__", repr(listener))
        _say(f"{name}{signature} was not called with the message of the operator: {error}")
        return None
    return lambda: listener(**given)


def _say(text: str) -> None:
    sys.stderr.write(f"[oet] {text}\n")
