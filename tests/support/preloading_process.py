"""``python -m tests.support.preloading_process SOCKET MODULE``: the process behind `preloaded_programs`.

It has no threads of its own, imports the module, and forks itself for each request. The child calls the
module's ``main``. The process ends with the one that has started it.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

LONGEST_MESSAGE = 1 << 18

INHERITED: Mapping[int, Any] = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
"""Signals that a program ignores if it is started by one that does, and what they do else."""


def _serve(control: socket.socket) -> Mapping[str, Any] | None:
    """Fork for each request. Returns in each child what it is to do, and None at the end."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ends(control)
        if control.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 1)
            if not message:
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (woken, wake, control.detach()):
                    os.close(descriptor)
                request: Mapping[str, Any] = {**json.loads(message), "output": descriptors[0]}
                return request
            os.close(descriptors[0])
            control.send(json.dumps({"pid": pid}).encode())


def _report_ends(control: socket.socket) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            control.send(json.dumps({"pid": pid, "status": status}).encode())


def _become(request: Mapping[str, Any]) -> None:
    """Take over what a program gets when it is started."""
    for number in (1, 2):
        os.dup2(request["output"], number)
    os.close(request["output"])
    for number, default in INHERITED.items():
        signal.signal(number, signal.SIG_IGN if number in request["ignored"] else default)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.path[0] = request["folder"]
    sys.argv[1:] = request["arguments"]
    sys.orig_argv[:] = [sys.executable, "-m", request["program"], *request["arguments"]]


def main() -> None:
    """Import the module, serve requests, and in a child run the program."""
    _, number, module = sys.argv
    run: Callable[[], None] = importlib.import_module(module).main
    gc.freeze()
    request = _serve(socket.socket(fileno=int(number)))
    if request is not None:
        _become(request)
        run()


if __name__ == "__main__":
    main()
