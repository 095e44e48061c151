"""Preloaded by a forkserver under test and imported by nobody else: no child while there is a file."""

import errno
import os

_REFUSE = "OET_TEST_REFUSE_FORK"
"""Environment variable that names the file."""

_fork = os.fork


def _refuse() -> int:
    if os.path.exists(os.environ[_REFUSE]):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return _fork()


os.fork = _refuse
