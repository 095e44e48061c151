"""Labels of checkpoints on their way to the server."""

import threading

import pytest
from tests.support.patience import wait_until

from ska_oso_oet.procedure.worker.labels import Labels


def test_labels_are_sent_in_order_and_of_very_many_the_newest() -> None:
    sent: list[tuple[str | None, int]] = []
    may_send = threading.Event()

    def send(label: str | None, number: int) -> None:
        may_send.wait()
        sent.append((label, number))

    labels = Labels(send)
    for number in range(1, 5001):
        labels.add(f"scan {number}", number)
    may_send.set()
    wait_until(lambda: sent and sent[-1] == ("scan 5000", 5000), "the newest label")
    numbers = [number for _, number in sent]
    assert numbers == sorted(set(numbers))
    assert len(sent) < 2100


def test_without_a_thread_labels_are_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sent: list[str | None] = []
    labels = Labels(lambda label, number: sent.append(label))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        labels.add("scan 1", 1)
        labels.add("scan 2", 2)
    assert sent == ["scan 1", "scan 2"]
