"""The child process in which one script runs.

The main thread runs the script, because that is where Python delivers signals. A second thread reads the
messages of the server, so that a PING is answered while the script is busy.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn, Self

from pubsub import pub

import ska_oso_oet.event  # noqa: F401  # defines the topics
from ska_oso_oet.model import ProcedureInput, ProcedureState, script_from_json
from ska_oso_oet.mptools import (
    EventMessage,
    MessageTooLargeError,
    PipeQueue,
    QueueProcWorker,
    SharedEvent,
    SignalObject,
    init_signals,
    posix,
)
from ska_oso_oet.mptools.encoding import MAX_MESSAGE
from ska_oso_oet.mptools.main_process import become_main_process
from ska_oso_oet.mptools.memory_shortage import be_second_victim
from ska_oso_oet.mptools.pipe_queue import put_all

from ..domain.errors import ArgumentsError
from . import interpreter
from .ending import COMPLETE, Outcome, end_script
from .functions import bind, read_signatures, run, settle
from .loader import load_script
from .messages import (
    DISCONNECTED_STATUS,
    MAX_STACKTRACE,
    REFUSED_TOPIC,
    FromWorker,
    LifecycleMessage,
    ToWorker,
)
from .operator_link import OperatorLink
from .results import result_facts
from .signal_gate import SignalGate
from .stdio import flush_stdio, redirect_stdio
from .stopping import Stop, is_stop, script_signal_handler
from .tasks import Tasks
from .traces import show_unhandled, trace_of

_DEFAULTS: dict[int, Any] = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
_NICENESS_OF_ENDING = 10
"""By how much; with the greatest number, the process could stay for long on a busy machine."""


class ScriptWorker(QueueProcWorker):
    """Loads a user's script and calls its functions on request; reports its state.

    Messages that the script publishes with pypubsub are sent on the event queue; messages PUBSUB on the work
    queue are published here.

    :param output: where standard output and standard error go; None leaves them as they are
    :param resumed: whether it has been a worker before, under another interpreter
    :param scan_counter: not used: scan IDs do not come from the parent process
    :param environment: not used: the message ENVIRONMENT names the environment
    """

    def init_args(
        self,
        *args: Any,
        output: Connection | None = None,
        resumed: bool = False,
        scan_counter: object = None,
        environment: object = None,
        **kwargs: Any,
    ) -> None:
        """Receive the arguments of this class."""
        super().init_args(*args, **kwargs)
        self._output = output
        self._resumed = resumed
        self._pid = os.getpid()
        self._source = self.name
        self._module: ModuleType | None = None
        self._result: Any = None  # of the function that was called last
        self._tasks = Tasks()
        self._stop = Stop(self.term_handler)
        self._signals = SignalGate(self._stop.handle)
        self._grace: float | None = None
        self._last_module = ""
        self._held = threading.local()
        self._operator = OperatorLink(
            lambda kind, payload: self._put(EventMessage(self._source, kind, payload)),
            lambda state, details: self._announce(LifecycleMessage(self._source, state, **details)),
            self._relay,
            lambda: self._stop.is_delivered,
        )

    @classmethod
    def resume(cls, inheritance: interpreter.Inheritance) -> Self:
        """Return the worker that continues under the interpreter of an environment.

        :param inheritance: descriptors of the worker that it was before
        """
        return cls(
            inheritance.name,
            SharedEvent(inheritance.startup),
            SharedEvent(inheritance.shutdown),
            PipeQueue.on(writer=inheritance.outbox),
            PipeQueue.on(reader=inheritance.inbox),
            output=Connection(os.dup(1), readable=False),
            resumed=True,
        )

    # Life

    def init_signals(self) -> SignalObject:
        """Install handlers by which SIGTERM and SIGINT interrupt the script.

        That of SIGINT is Python's own: asyncio puts one in its place that cancels the main task.
        """
        signals = init_signals(self.shutdown_event, self._signals.handle, self._signals.handle)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._stop.install()
        self._handlers = {number: signal.getsignal(number) for number in _DEFAULTS}
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
        """Redirect standard output, listen to all topics, begin to read messages."""
        if self._output is not None:
            redirect_stdio(self._output)
        pub.subscribe(self._relay, pub.ALL_TOPICS)
        os.register_at_fork(
            before=self._hold_signals, after_in_parent=self._release_signals, after_in_child=self._disown
        )
        self._operator.connect()
        become_main_process()
        threading.Thread(target=self._read_messages, name="oet-messages", daemon=True).start()
        # Objects so far do not belong to the script: its end need not search them.
        gc.freeze()
        self._last_module = next(reversed(sys.modules))

    def run(self) -> int:
        """Run the worker until a signal comes between two calls of the script, and end the process."""
        status = 1
        try:
            status = super().run() or 128 + signal.SIGTERM
            if self._module is not None:
                self._end_script(lambda: self._end(status))
        finally:
            self._end(status)

    def main_loop(self) -> None:
        """Handle one message after the other, until the script has ended."""
        if self._resumed:
            self.publish_lifecycle(ProcedureState.IDLE)
        # A stop that comes between two calls of the script is not a failure of the worker.
        with suppress(KeyboardInterrupt):
            while True:
                self.main_func(self._tasks.get())

    def _read_messages(self) -> None:
        """Receive messages, in a thread of its own. Ends the process when the server has ended."""
        while True:
            try:
                message = self.work_q.get()
            except ValueError as error:
                self.log.warning("Ignoring a message that cannot be read: %s", error)
            except EOFError:
                posix.kill_tree(self._pid)
            except OSError:
                # The script has closed all descriptors: nothing more could be received from it.
                os._exit(DISCONNECTED_STATUS)
            else:
                if message.msg_type == ToWorker.PING:
                    self._send(EventMessage(self._source, FromWorker.PONG))
                elif message.msg_type == ToWorker.STOP:
                    self._operator.end(let_go=not self._stop.interrupts)
                    self._stop.request()
                elif not self._operator.handle(message):
                    self._tasks.put(message)
                    if message.msg_type == ToWorker.ENVIRONMENT:
                        # The next messages are for the continued process.
                        return

    def _disown(self) -> None:
        """Called in a process that the script has forked: it must not send messages in the script's name."""
        if isinstance(self.event_q, PipeQueue) and isinstance(self.work_q, PipeQueue):
            self.event_q.close_writer()
            self.work_q.close_reader()
        # A stop does not interrupt it, either; multiprocessing ends its pools by SIGTERM.
        for number, default in _DEFAULTS.items():
            if signal.getsignal(number) is self._handlers[number]:
                signal.signal(number, default)
        self._stop.disown()
        self._operator.disown()
        self._release_signals()

    def _hold_signals(self) -> None:
        """Called before a fork: a signal that the child gets before it is disowned would be lost."""
        self._held.before = signal.pthread_sigmask(signal.SIG_BLOCK, _DEFAULTS)

    def _release_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._held.before)

    def _is_forked(self) -> bool:
        return os.getpid() != self._pid

    def _end(self, status: int) -> NoReturn:
        """End the process at once, with the threads that the script may have left."""
        flush_stdio()
        os._exit(status)

    # Messages of the server

    def main_func(self, item: Any) -> None:
        """Handle a message of the server."""
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
                self.log.warning("Ignoring a message of unknown kind %s", item.msg_type)

    def _enter_environment(self, payload: dict[str, Any]) -> None:
        flush_stdio()
        interpreter.become(Path(payload["python"]), interpreter.Inheritance.of(self))

    def _load(self, payload: dict[str, Any]) -> None:
        self._source = str(payload["procedure_id"])
        self._grace = payload["grace"]
        self._operator.set_context(payload["context"])
        os.environ.update(payload["environment"])
        os.chdir(payload["directory"])
        self.publish_lifecycle(ProcedureState.LOADING)
        script = script_from_json(payload["script"])
        loaded = load_script(script, payload["size_limit"], as_program=True)
        self._module = loaded.module
        settled = settle(loaded, script.name, payload["arguments"])
        # Imported late: it takes a while where the forkserver has not done so.
        from .packages import ENVIRONMENT

        known = {"facts": {"script_sha256": loaded.sha256}, "environment": ENVIRONMENT}
        states = [LifecycleMessage(self._source, ProcedureState.IDLE, signatures=settled, **known)]
        if getattr(loaded.module, "init", None) is None and self._tasks.take_call("init"):
            states.append(self._readiness(loaded.module))  # the server needs one transaction for both
        self._announce(*states)

    def _run(self, payload: dict[str, Any]) -> Outcome | None:
        assert self._module is not None, "the message LOAD came before"  # noqa: S101
        name = payload["function"]
        if name == "init" and getattr(self._module, name, None) is None:
            self._announce(self._readiness(self._module))
            return None
        if name == "init":
            # Of main, the server knows that it runs when it has sent the call.
            self.publish_lifecycle(ProcedureState.RUNNING)
        arguments = ProcedureInput(*payload["args"], **payload["kwargs"])
        confirm = payload.get("confirm", False)
        try:
            function = bind(self._module, name, arguments, self._operator.context())
        except ArgumentsError as error:
            if not confirm:
                raise
            self._send(EventMessage(self._source, FromWorker.CALL, {"refusal": str(error)}))
            return None
        if confirm:
            self._send(EventMessage(self._source, FromWorker.CALL, {"refusal": None}))
        if name == "main":
            be_second_victim()
        self._result = run(function)
        if self._is_forked():
            return COMPLETE
        if name == "main":
            return COMPLETE._replace(facts=result_facts(self._result))
        self._announce(self._readiness(self._module))
        return None

    def _readiness(self, module: ModuleType) -> LifecycleMessage:
        """Return the report that the script can be started, with the signatures that its functions have."""
        return LifecycleMessage(self._source, ProcedureState.READY, signatures=read_signatures(module))

    def _guarded(self, step: Callable[[dict[str, Any]], Outcome | None], payload: dict[str, Any]) -> None:
        """Do a step; if the script has ended by that, end the process."""
        if (outcome := self._attempt(step, payload)) is not None:
            self._conclude(outcome)

    def _attempt(
        self, step: Callable[[dict[str, Any]], Outcome | None], payload: dict[str, Any]
    ) -> Outcome | None:
        try:
            return step(payload)
        except SystemExit as error:
            show_unhandled(error)
            if self._is_forked() and (error.code is None or isinstance(error.code, int)):
                return Outcome(ProcedureState.FAILED, error.code or 0)
            if error.code in (None, 0) and payload.get("function") == "main":
                return COMPLETE
            return Outcome(ProcedureState.FAILED, 1, trace_of(error, MAX_STACKTRACE))
        except BaseException as error:  # any exception of a script ends the script, and is reported
            is_stopped = self._stop.is_requested()
            trace = "" if is_stopped and is_stop(error) else trace_of(error, MAX_STACKTRACE)
            # The server ignores why a script fails that it stops.
            show_unhandled(error, trace if self._is_forked() or is_stopped else "")
            return Outcome(ProcedureState.FAILED, 1, trace)

    def _conclude(self, outcome: Outcome) -> NoReturn:
        """End the script as Python ends a program, then report its end, and end the process."""
        self._end_script(lambda: self._report_end(outcome))
        self._report_end(outcome)

    def _end_script(self, give_up: Callable[[], NoReturn]) -> None:
        self._module = self._result = None
        grace = None if self._is_forked() else self._grace
        end_script(self._stop, self._last_module, grace, give_up)

    def _report_end(self, outcome: Outcome) -> NoReturn:
        if outcome.state is ProcedureState.COMPLETE:
            self._announce(
                LifecycleMessage(self._source, ProcedureState.READY),
                LifecycleMessage(self._source, ProcedureState.COMPLETE, facts=dict(outcome.facts)),
            )
            # Freeing the memory of the process takes milliseconds: the report comes first.
            os.nice(_NICENESS_OF_ENDING)
        else:
            self._announce(LifecycleMessage(self._source, outcome.state, stacktrace=outcome.trace))
        self._end(outcome.status)

    # Messages to the server

    def publish_lifecycle(self, new_state: ProcedureState) -> None:
        """Report that the state has changed.

        :param new_state: the state it is in now
        """
        self._announce(LifecycleMessage(self._source, new_state))

    def _announce(self, *messages: LifecycleMessage) -> None:
        # Output that was written before a change of state is sent before it.
        flush_stdio()
        self._send(*messages)

    def republish(self, topic: Any = pub.AUTO_TOPIC, **kwargs: Any) -> None:
        """Send a message that was published in this process to the server.

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
        except MessageTooLargeError as error:
            refusal = {"refused_topic": topic, "size": error.size, "limit": MAX_MESSAGE, "msg": str(error)}
            event = {"topic": REFUSED_TOPIC, "msg_src": self._source, "fields": refusal}
            self._send(EventMessage(self._source, FromWorker.PUBSUB, event))

    def _send(self, *messages: EventMessage) -> None:
        self._operator.flush()
        self._put(*messages)

    def _put(self, *messages: EventMessage) -> None:
        if self._is_forked():
            return
        with self._signals.closed():
            try:
                put_all(self.event_q, messages)
            except OSError:
                # The server has ended, or the script has closed the pipe: nothing can be sent.
                self._end(DISCONNECTED_STATUS)
