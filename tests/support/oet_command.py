"""The installed `oet` command, as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from click.testing import CliRunner, Result
from tests.support.patience import PATIENCE

from ska_oso_oet.cli import main

EXECUTABLE = str(Path(sys.executable).with_name("oet"))


class OetCommand:
    """Runs ``oet`` against one server, in the time zone UTC.

    :param url: of the REST API
    """

    def __init__(self, url: str) -> None:
        self.env = {**os.environ, "OET_REST_URI": url, "TZ": "UTC"}

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        :param arguments: of the command
        :param status: the exit status that it must have
        """
        done = subprocess.run(
            [EXECUTABLE, *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == status, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done

    @contextmanager
    def running(self, *arguments: str, stdout: str | None = None) -> Iterator[subprocess.Popen[str]]:
        """Run a command beside the test, and end it if the test has not.

        :param arguments: of the command
        :param stdout: file to write to, instead of a pipe to the test
        """
        with ExitStack() as stack:
            output = subprocess.PIPE if stdout is None else stack.enter_context(Path(stdout).open("w"))
            process = stack.enter_context(
                subprocess.Popen(
                    [EXECUTABLE, *arguments], env=self.env, stdout=output, stderr=subprocess.PIPE, text=True
                )
            )
            stack.callback(process.kill)
            yield process


class OetInProcess:
    """Calls the command within this process, where one of its own would make no difference.

    :param url: of the REST API
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(
        self,
        *arguments: str,
        status: int = 0,
        url: str | None = None,
        token: str | None = None,
        stdin: bytes = b"",
    ) -> Result:
        """Run a command to its end.

        :param arguments: of the command
        :param status: the exit status that it must have
        :param url: instead of the usual one
        :param token: to send
        :param stdin: what it reads from standard input
        """
        env = {"OET_REST_URI": url or self.url, "OET_API_TOKEN": token}
        result = CliRunner().invoke(main, arguments, env=env, input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == status, result.output
        return result


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in an output, heads included, line by line."""
    lines = (line.split("|") for line in text.splitlines() if "|" in line and not line.startswith("---"))
    return [[cell.strip() for cell in line] for line in lines]
