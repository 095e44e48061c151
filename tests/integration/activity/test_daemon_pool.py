"""The pool of threads does not keep its process alive."""

import subprocess
import sys

from tests.support.patience import PATIENCE


def test_a_job_that_hangs_does_not_keep_the_process() -> None:
    program = (
        "import threading\n"
        "from ska_oso_oet.activity.application.daemon_pool import DaemonPool\n"
        "DaemonPool('test', 1).submit(threading.Event().wait)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)
