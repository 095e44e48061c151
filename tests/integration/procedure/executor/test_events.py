"""All events of scripts arrive, in order, with any data."""

import textwrap
import threading
from collections.abc import Callable, Sequence

import pytest
from tests.support.patience import patience
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.journal import Document, JournalEvent, MemoryJournal
from ska_oso_oet.procedure.application import StopProcessCommand
from ska_oso_oet.procedure.domain import ProcedureState, StateForbidsError


def test_events_flat_out_arrive_complete_and_in_order(bench: ScriptBench) -> None:
    procedure_id = bench.run(script("for number in range(20_000): say(number)"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.said(procedure_id) == list(range(20_000))
    assert [event["seq"] for event in bench.events] == list(range(1, len(bench.events) + 1))


def test_events_that_come_faster_than_they_can_be_kept_wait_in_the_script_and_not_in_memory(
    make_bench: Callable[..., ScriptBench],
) -> None:
    backlogs: list[int] = []

    class Slow(MemoryJournal):
        def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
            threading.Event().wait(patience(0.05))
            backlogs.append(bench.bus.backlog)
            super().append(events, documents)

    bench = make_bench(journal=Slow())
    procedure_id = bench.run(script("for number in range(20_000): say(number)"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.said(procedure_id) == list(range(20_000))
    assert 1000 < max(backlogs) < 6000


def test_kill_in_the_middle_of_events_costs_only_what_was_not_sent(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script(
            """
            threading.Thread(target=lambda: (resume.wait(), os.kill(os.getpid(), signal.SIGKILL))).start()
            for number in range(20_000):
                say(number)
                if number == 10_000:
                    resume.set()
        """,
            top="resume = threading.Event()",
        )
    )
    assert "SIGKILL" in bench.failure_of(procedure_id)
    said = bench.said(procedure_id)
    assert len(said) > 10_000
    assert said == list(range(len(said)))
    bench.assert_works()


def test_stop_in_the_middle_of_events_leaves_whole_events_and_then_silence(bench: ScriptBench) -> None:
    procedure_id = bench.run(script("number = 0\nwhile True:\n    say(number)\n    number += 1"))
    bench.wait_for(lambda: len(bench.said(procedure_id)) > 1000)
    bench.stop(procedure_id)
    said = bench.said(procedure_id)
    assert said == list(range(len(said)))
    last = [event["topic"] for event in bench.events if event["msg_src"] == str(procedure_id)][-1]
    assert last == "procedure.lifecycle.stopped"


def test_a_stop_is_announced_with_the_fields_of_its_command(bench: ScriptBench) -> None:
    procedure_id = bench.ready(script())
    bench.service.stop(StopProcessCommand(procedure_id, run_abort=False))
    (request,) = bench.of("request.procedure.stop")
    documented = {"process_uid": procedure_id, "run_abort": False}
    assert request["cmd"] == {**documented, "pid": procedure_id, "abort": False}


def test_a_start_is_told_of_before_what_it_causes_and_also_if_it_is_refused(bench: ScriptBench) -> None:
    first, second = bench.ready(script("wait()")), bench.ready(script())
    bench.start(first)
    with pytest.raises(StateForbidsError):
        bench.start(second)
    bench.wait_for_state(first, ProcedureState.RUNNING)
    reported = bench.wait_for(lambda: len(found := bench.of("request.procedure.start")) == 2 and found)
    assert [event["cmd"]["pid"] for event in reported] == [first, second]
    (started,) = bench.of("procedure.lifecycle.started", first)
    assert reported[0]["seq"] < started["seq"]
    assert started["request_id"] == reported[0]["request_id"]


ODD_VALUES = {
    "an object": "object()",
    "a lock": "threading.Lock()",
    "a function": "lambda: None",
    "a number beyond 64 bits": "2**200",
    "not a number": "float('nan')",
    "half a surrogate pair": "'\\ud800'",
    "bytes": "b'\\xff\\x00'",
    "a set": "{1, 2}",
    "odd keys": "{(1, 2): 3, None: 4, 1.5: 5}",
    "a circle": "circle",
    "deep nesting": "deep",
    "no repr": "NoRepr()",
    "an array": "__import__('numpy').arange(5)",
    "an exception": "ValueError('x')",
    "a module": "os",
    "a generator": "(i for i in range(3))",
}
ODD_TOP = """
circle = []
circle.append(circle)
deep = None
for _ in range(100_000):
    deep = [deep]
class NoRepr:
    def __repr__(self):
        raise RuntimeError
    __getstate__ = __reduce_ex__ = __repr__
"""


def test_what_cannot_be_encoded_arrives_all_the_same_and_swallows_nothing(bench: ScriptBench) -> None:
    values = "\n".join(f"say({value})" for value in ODD_VALUES.values())
    procedure_id = bench.run(script(f"{values}\nsay('end')", top=ODD_TOP))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    said = bench.said(procedure_id)
    assert len(said) == len(ODD_VALUES) + 1
    assert said[-1] == "end"
    shown = dict(zip(ODD_VALUES, said, strict=False))
    assert shown["a number beyond 64 bits"] == str(2**200)
    assert "object object" in shown["an object"]
    assert "<lambda>" in shown["a function"]
    assert shown["an exception"] == "ValueError('x')"
    assert shown["an array"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["top level", "in a list"])
def test_event_of_10_mb_is_refused_by_an_event_and_those_around_it_arrive(
    bench: ScriptBench, kind: str
) -> None:
    value = "'x' * 10_000_000" if kind == "top level" else "['x'] * 3_000_000"
    procedure_id = bench.run(script(f"say('before')\nsay({value})\nsay('after')"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.said(procedure_id) == ["before", "after"]
    [refusal] = bench.of("user.script.refused", procedure_id)
    assert refusal["refused_topic"] == "user.script.announce"
    assert refusal["size"] > 10_000_000
    assert refusal["limit"] < refusal["size"]
    assert "are allowed" in refusal["msg"]


def test_many_threads_publish_whole_events_each_in_its_order(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script("""
            def work(name):
                for number in range(500):
                    pub.sendMessage(f"user.thread.{name}", number=number, padding="x" * (number * 20))
                    pub.sendMessage("user.shared", name=name, number=number)
            threads = [threading.Thread(target=work, args=[name]) for name in "abcdefgh"]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    for name in "abcdefgh":
        assert [event["number"] for event in bench.of(f"user.thread.{name}")] == list(range(500))
        shared = [event["number"] for event in bench.of("user.shared") if event["name"] == name]
        assert shared == list(range(500))


def test_topics_nobody_declared_and_data_that_change_are_delivered(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script("""
            pub.sendMessage("my.own.topic", first=1)
            pub.sendMessage("my.own.topic", first=1, second=2)
            pub.sendMessage("my.own.topic")
            pub.sendMessage("my.own.topic", msg_src="camera")
            pub.sendMessage("user.script.announce", msg="without a source")
            pub.sendMessage("user.script.announce", msg="with one", msg_src="camera")
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    own = [event for event in bench.events if event["topic"] == "my.own.topic"]
    assert [(event["msg_src"], event.get("first"), event.get("second")) for event in own] == [
        (str(procedure_id), 1, None),
        (str(procedure_id), 1, 2),
        (str(procedure_id), None, None),
        ("camera", None, None),
    ]
    announced = [event for event in bench.events if event["topic"] == "user.script.announce"]
    assert [event["msg_src"] for event in announced] == [str(procedure_id), "camera"]


CONTROLLER_TOPICS = ["procedure", "activity", "request", "queue", "controller", "operator"]
OTHERS = ["OETController", "ScriptExecutionService", "ActivityService", "4711", " 4711", "-1"]


def test_a_script_publishes_neither_on_topics_of_the_controller_nor_as_somebody_else(
    bench: ScriptBench,
) -> None:
    procedure_id = bench.run(
        script(f"""
            for root in {CONTROLLER_TOPICS}:
                pub.sendMessage(root + ".made.up", data=1)
            pub.sendMessage("procedure.lifecycle.failed", request_id=1.0, result=None)
            for other in {OTHERS}:
                pub.sendMessage("user.script.progress", msg_src=other, progress=100)
            pub.sendMessage("user.script.progress", msg_src=int({OTHERS[3]}), progress=100)
            pub.sendMessage("user.script.progress", msg_src=threading.current_thread().name, progress=50)
            pub.sendMessage("procedures", msg_src="camera")
            for topic in ("subarray.configured", "sb.made.up", "scan.made.up"):
                pub.sendMessage(topic, subarray_id=1)
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    refusals = bench.of("user.script.refused", procedure_id)
    topics = [f"{root}.made.up" for root in CONTROLLER_TOPICS] + ["procedure.lifecycle.failed"]
    refused = topics + ["user.script.progress"] * (len(OTHERS) + 1)
    assert [refusal["refused_topic"] for refusal in refusals] == refused
    for refusal, topic in zip(refusals, topics, strict=False):
        assert f"must not publish on {topic}: only the controller" in refusal["msg"]
    for refusal, other in zip(refusals[len(topics) :], OTHERS, strict=False):
        assert f"must not publish as msg_src {other}, which is " in refusal["msg"]
    assert not bench.of("procedure.lifecycle.failed")
    published = [event["topic"] for event in bench.events if "made.up" in event["topic"]]
    assert published == ["sb.made.up", "scan.made.up"]
    (progress,) = bench.of("user.script.progress")
    assert progress["progress"] == 50
    assert bench.of("subarray.configured", procedure_id)
    assert bench.of("procedures")


def test_garbage_in_the_message_pipe_costs_the_garbage_alone(bench: ScriptBench) -> None:
    """A script that writes into descriptors that are not its own."""
    procedure_id = bench.run(
        script(r"""
            lines = [b"garbage \xff", b"[1, 2, 3]", b"{}", b"", b'["1", "LIFECYCLE", {"state": "no state"}]']
            for fd in range(3, 30):
                try:
                    os.set_blocking(fd, False)
                    os.write(fd, b"\n".join(lines) + b"\n")
                except OSError:
                    pass
            say("after")
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.said(procedure_id) == ["after"]


def test_flood_of_garbage_is_counted_and_does_not_fill_the_log(
    make_bench: Callable[..., ScriptBench], caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench()
    procedure_id = bench.run(
        script(r"""
            import gc, select
            from ska_oso_oet.mptools import PipeQueue
            gc.unfreeze()
            queues = [known for known in gc.get_objects() if type(known) is PipeQueue]
            [pipe] = [queue.writer.fileno() for queue in queues if not queue.writer.closed]
            for _ in range(100):
                select.select([], [pipe], [])
                os.write(pipe, b"garbage\n" * 100)
            say("after")
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.said(procedure_id) == ["after"]
    bench.service.shutdown()
    reported = [
        record.getMessage() for record in caplog.records if "could not be handled" in record.getMessage()
    ]
    assert 10 <= len(reported) <= 12
    assert "10000 messages of worker" in reported[-1]


@pytest.mark.parametrize("failure", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_listener_that_fails_stops_neither_the_message_loop_nor_the_events(
    make_bench: Callable[..., ScriptBench], failure: type[BaseException]
) -> None:
    def fail(_: object) -> None:
        raise failure("a listener that fails")

    bench = make_bench(service={"on_pubsub": [fail]})
    for _ in range(10):
        procedure_id = bench.run(script("say(1)\nsay(2)"))
        bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
        assert bench.said(procedure_id) == [1, 2]


def test_published_data_may_bear_any_name(bench: ScriptBench) -> None:
    names = ["topic", "name", "fields", "seq", "time", "msg_src_", "kwargs"]
    data = ", ".join(f"{name}={name!r}" for name in names)
    procedure_id = bench.run(script(textwrap.dedent(f"pub.sendMessage('my.names', **dict({data}))")))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    [event] = bench.of("my.names")
    for name in names:
        assert name in event.values()
