"""The child process in which one script runs.

The main thread runs the script, for that is where Python delivers signals. A second thread reads the
messages of the manager, so that a PING is answered while the script is busy.
"""

import asyncio
import inspect
import os
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn, Self

from pubsub import pub

from ska_oso_oet.event import topics
from ska_oso_oet.model import ProcedureState, Script
from ska_oso_oet.mptools import (
    EventMessage,
    MessageTooLarge,
    MPQueue,
    QueueProcWorker,
    SharedEvent,
    SignalObject,
    TerminateInterrupt,
    init_signals,
    posix,
)
from ska_oso_oet.mptools.encoding import MAX_MESSAGE

from .. import interpreter
from . import signatures
from .errors import ScriptError
from .loader import ModuleFactory
from .protocol import DISCONNECTED_STATUS, MAX_STACKTRACE, FromWorker, LifecycleMessage, ToWorker
from .scripts import ExecutableScript, ProcedureInput
from .signal_gate import SignalGate
from .stdio import flush_stdio, redirect_stdio

_DEFAULT_HANDLERS: dict[int, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
}
_NICENESS_OF_ENDING = 10
"""By how much; not by all there is, lest a busy machine keep the process for long."""


def script_signal_handler(
    signal_object: SignalObject,
    exception_class: type[BaseException],
    signal_num: int,
    current_stack_frame: FrameType | None,
) -> None:
    """Interrupt the script by an exception. The other workers go on: no shutdown event is set.

    :param signal_object: counts the calls
    :param exception_class: what to raise
    :param signal_num: POSIX signal number
    :param current_stack_frame: what the signal interrupted
    """
    signal_object.terminate_called += 1
    raise exception_class


class ScriptWorker(QueueProcWorker):
    """Loads a user's script and calls its functions on request; tells its manager what becomes of it.

    What the script publishes with pypubsub is sent to the manager; what the manager publishes is
    published here.

    :param output: where standard output and standard error go
    :param resumed: whether it has been a worker before, under another interpreter
    """

    def init_args(self, *args: Any, output: Connection, resumed: bool = False, **kwargs: Any) -> None:
        """Receive the arguments of this class."""
        super().init_args(*args, **kwargs)
        self._output = output
        self._resumed = resumed
        self._pid = os.getpid()
        self._source = self.name
        self._module: ModuleType | None = None
        self._tasks: queue.SimpleQueue[EventMessage] = queue.SimpleQueue()
        self._signals = SignalGate(self.term_handler)
        self._held = threading.local()

    @classmethod
    def resume(cls, inheritance: interpreter.Inheritance) -> Self:
        """Return the worker that goes on, under the interpreter of an environment, with what it has left.

        :param inheritance: its descriptors
        """
        return cls(
            inheritance.name,
            SharedEvent(inheritance.startup),
            SharedEvent(inheritance.shutdown),
            MPQueue.on(writer=inheritance.outbox),
            MPQueue.on(reader=inheritance.inbox),
            output=Connection(os.dup(1), readable=False),
            resumed=True,
        )

    # Life

    def init_signals(self) -> SignalObject:
        """Install handlers by which SIGTERM and SIGINT interrupt the script."""
        signals = init_signals(self.shutdown_event, self._signals.handle, self._signals.handle)
        self._handlers = {number: signal.getsignal(number) for number in _DEFAULT_HANDLERS}
        return signals

    @staticmethod
    def term_handler(
        signal_object: SignalObject,
        exception_class: type[BaseException],
        signal_num: int,
        current_stack_frame: FrameType | None,
    ) -> None:
        """Interrupt the script; see `script_signal_handler`."""
        script_signal_handler(signal_object, exception_class, signal_num, current_stack_frame)

    def startup(self) -> None:
        """Take over standard output, learn the topics, begin to listen."""
        redirect_stdio(self._output)
        pub.addTopicDefnProvider(topics, pub.TOPIC_TREE_FROM_CLASS)
        pub.subscribe(self._relay, pub.ALL_TOPICS)
        os.register_at_fork(
            before=self._hold_signals, after_in_parent=self._release_signals, after_in_child=self._disown
        )
        threading.Thread(target=self._read_messages, name="oet-messages", daemon=True).start()

    def run(self) -> int:
        """Run the worker, and end the process at once: clean-up at exit could hang, and takes long."""
        status = 1
        try:
            status = super().run()
        finally:
            self._end(status)

    def main_loop(self) -> None:
        """Handle one message after the other, until the script has ended."""
        if self._resumed:
            self.publish_lifecycle(ProcedureState.IDLE)
        while True:
            self.main_func(self._tasks.get())

    def _read_messages(self) -> None:
        """Receive messages, in a thread of their own; without a server there is nothing to live for."""
        while True:
            try:
                message = self.work_q.get()
            except ValueError as error:
                self.log.warning("Passing over a message that cannot be read: %s", error)
            except EOFError:
                posix.kill_tree(self._pid)
            except OSError:
                # The script has closed all descriptors: it could not be heard any more.
                os._exit(DISCONNECTED_STATUS)
            else:
                if message.msg_type == ToWorker.PING:
                    self._send(EventMessage(self._source, FromWorker.PONG))
                else:
                    self._tasks.put(message)
                    if message.msg_type == ToWorker.ENVIRONMENT:
                        # What comes next is for this process as it will be then.
                        return

    def _disown(self) -> None:
        """Run in a process that the script has forked: it must not speak for the script."""
        self.event_q.close_writer()
        self.work_q.close_reader()
        # Nor is it the one that a stop interrupts; multiprocessing ends its pools by SIGTERM.
        for number, default in _DEFAULT_HANDLERS.items():
            if signal.getsignal(number) is self._handlers[number]:
                signal.signal(number, default)
        self._release_signals()

    def _hold_signals(self) -> None:
        """Run before the script forks: what is sent to the child before it is disowned would be lost."""
        self._held.before = signal.pthread_sigmask(signal.SIG_BLOCK, _DEFAULT_HANDLERS)

    def _release_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._held.before)

    def _is_forked(self) -> bool:
        return os.getpid() != self._pid

    def _end(self, status: int) -> NoReturn:
        """End the process at once, with the threads that the script may have left."""
        flush_stdio()
        os._exit(status)

    # Messages of the manager

    def main_func(self, item: Any) -> None:
        """Handle a message of the manager."""
        payload = item.msg
        match item.msg_type:
            case ToWorker.ENVIRONMENT:
                self._guarded(self._enter_environment, payload)
            case ToWorker.LOAD:
                self._guarded(self._load, payload)
            case ToWorker.RUN:
                self._guarded(self._run, payload)
            case ToWorker.PUBSUB:
                pub.sendMessage(payload["topic"], **payload["fields"])
            case _:
                self.log.warning("Passing over a message of unknown kind %s", item.msg_type)

    def _enter_environment(self, payload: dict[str, Any]) -> None:
        flush_stdio()
        inheritance = interpreter.Inheritance(
            name=self.name,
            inbox=self.work_q.reader.fileno(),
            outbox=self.event_q.writer.fileno(),
            startup=self.startup_event.fileno(),
            shutdown=self.shutdown_event.fileno(),
        )
        interpreter.become(Path(payload["python"]), inheritance)

    def _load(self, payload: dict[str, Any]) -> None:
        self._source = str(payload["procedure_id"])
        os.environ.update(payload["environment"])
        os.chdir(payload["directory"])
        self.publish_lifecycle(ProcedureState.LOADING)
        script = ExecutableScript.from_model(Script.model_validate(payload["script"]))
        self._module = ModuleFactory.get_module(script)
        told = {
            name: signatures.to_json(function)
            for name in ("init", "main")
            if callable(function := getattr(self._module, name, None))
        }
        if "main" not in told:
            raise AttributeError("the script has no function main(): define what is to run as main()")
        # Those of main, too: what init does with a telescope would be in vain.
        for name, given in payload["arguments"].items():
            if (signature := told.get(name)) is not None:
                arguments = ProcedureInput(*given["args"], **given["kwargs"])
                signatures.check(name, signatures.from_json(signature), arguments)
        self._announce(LifecycleMessage(self._source, ProcedureState.IDLE, signatures=told))

    def _run(self, payload: dict[str, Any]) -> None:
        name = payload["function"]
        function = getattr(self._module, name, None)
        if function is None and name == "init":
            self.publish_lifecycle(ProcedureState.READY)
            return
        if function is None:
            raise AttributeError(f"the script has no function {name}(): define it, or start another one")
        arguments = ProcedureInput(*payload["args"], **payload["kwargs"])
        if (told := signatures.to_json(function)) is not None:
            signatures.check(name, signatures.from_json(told), arguments)
        self.publish_lifecycle(ProcedureState.RUNNING)
        result = function(*arguments.args, **arguments.kwargs)
        if inspect.iscoroutine(result):
            asyncio.run(result)
        if self._is_forked():
            self._end(0)
        if name == "init":
            self.publish_lifecycle(ProcedureState.READY)
        else:
            self._complete()

    def _complete(self) -> NoReturn:
        self._announce(
            LifecycleMessage(self._source, ProcedureState.READY),
            LifecycleMessage(self._source, ProcedureState.COMPLETE),
        )
        # To give back the memory of a process takes milliseconds of processor time, and nobody waits for that
        # as they do for the news of its end.
        os.nice(_NICENESS_OF_ENDING)
        self._end(0)

    def _guarded(self, step: Any, payload: dict[str, Any]) -> None:
        """Take a step; should it raise, report that and end."""
        try:
            step(payload)
        except SystemExit as error:
            if error.code in (None, 0) and payload.get("function") == "main" and not self._is_forked():
                self._complete()
            self._fail(error)
        except BaseException as error:  # whatever a script may raise ends the script, and is reported
            self._fail(error)

    def _fail(self, error: BaseException) -> NoReturn:
        trace = "".join(_without_own_frames(error))
        if self._is_forked():
            self._end_child(error, trace)
        self._announce(
            LifecycleMessage(self._source, ProcedureState.FAILED, stacktrace=trace[-MAX_STACKTRACE:])
        )
        self._end(1)

    def _end_child(self, error: BaseException, trace: str) -> NoReturn:
        """End a process that the script has forked as Python would."""
        if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
            self._end(error.code or 0)
        sys.stderr.write(trace)
        self._end(1)

    # Messages to the manager

    def publish_lifecycle(self, new_state: ProcedureState) -> None:
        """Tell the manager that the state has changed.

        :param new_state: the state it is in now
        """
        self._announce(LifecycleMessage(self._source, new_state))

    def _announce(self, *messages: LifecycleMessage) -> None:
        # What has been printed goes before the news that it was printed.
        flush_stdio()
        for message in messages:
            self._send(message)

    def republish(self, topic: Any = pub.AUTO_TOPIC, **kwargs: Any) -> None:
        """Send what was published locally to the manager.

        :param topic: the topic, given by pypubsub
        :param kwargs: the data of the message
        """
        self._publish(topic.getName(), kwargs)

    def _relay(self, oet_topic_: Any = pub.AUTO_TOPIC, **fields: Any) -> None:
        # Not `republish`: a script is free to publish data named "topic".
        self._publish(oet_topic_.getName(), fields)

    def _publish(self, topic: str, fields: dict[str, Any]) -> None:
        source = fields.pop("msg_src", None)
        event = {"topic": topic, "msg_src": self._source if source is None else str(source), "fields": fields}
        try:
            self._send(EventMessage(self._source, FromWorker.PUBSUB, event))
        except MessageTooLarge as error:
            refusal = {"refused_topic": topic, "size": error.size, "limit": MAX_MESSAGE, "msg": str(error)}
            event = {"topic": "user.script.refused", "msg_src": self._source, "fields": refusal}
            self._send(EventMessage(self._source, FromWorker.PUBSUB, event))

    def _send(self, message: EventMessage) -> None:
        if self._is_forked():
            return
        with self._signals.closed():
            try:
                self.event_q.put(message)
            except OSError:
                # No manager any more, or the script has closed the pipe: either way nobody can hear it.
                self._end(DISCONNECTED_STATUS)


def _without_own_frames(error: BaseException) -> list[str]:
    """Format an exception without the frames of this package above those of the script."""
    here = os.path.dirname(__file__)
    told = traceback.TracebackException.from_exception(error, capture_locals=False)
    frames = list(told.stack)
    while frames and os.path.dirname(frames[0].filename) == here:
        frames.pop(0)
    if not frames and isinstance(error, ScriptError):
        # It is this package that refuses the script, in a sentence that says all.
        return [f"{error}\n"]
    told.stack = traceback.StackSummary.from_list(frames)
    if isinstance(error, TerminateInterrupt):
        return [*told.format(), "The process was sent SIGTERM, but not by a request to stop.\n"]
    return list(told.format())
