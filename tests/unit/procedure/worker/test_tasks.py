"""The queue of what the main thread of a worker is to do."""

from ska_oso_oet.mptools import EventMessage
from ska_oso_oet.procedure.worker.messages import ToWorker
from ska_oso_oet.procedure.worker.tasks import Tasks


def _call(function: str) -> EventMessage:
    return EventMessage("test", ToWorker.RUN, {"function": function})


def test_a_call_is_taken_if_it_is_next() -> None:
    tasks = Tasks()
    assert not tasks.take_call("init")
    tasks.put(_call("init"))
    tasks.put(_call("main"))
    assert tasks.take_call("init")
    assert tasks.get().msg == {"function": "main"}


def test_another_message_stays_in_its_place() -> None:
    tasks = Tasks()
    news = EventMessage("test", ToWorker.PUBSUB, {"topic": "user"})
    for message in (news, _call("init")):
        tasks.put(message)
    assert not tasks.take_call("init")
    assert not tasks.take_call("init")
    assert tasks.get() == news
    assert not tasks.take_call("main")
    assert tasks.get().msg == {"function": "init"}
