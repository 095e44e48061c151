"""Session of a command: the service that it uses, and its output."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from .connection import HttpSession
from .output import CommandOutput
from .rest import Reply, RestClient
from .stream import HttpEventStream, HttpOutputStream
from .subarrays import chosen_url

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """Session of a command."""

    rest: RestClient
    output: CommandOutput
    subarray_id: int | None = None
    """Number of the subarray that was typed."""
    is_chosen: bool = False
    """Whether that number chose the controller, among several."""

    def show(self, reply: Reply[T], print_: Callable[[CommandOutput, T], None]) -> None:
        """Print what the service answered.

        :param reply: its answer
        :param print_: prints it for people
        """
        if self.output.as_json:
            self.output.json(reply.body)
        else:
            print_(self.output, reply.content)

    def stream(self, after: int | None = None) -> HttpEventStream:
        """Return a stream of the events after a number, or of those to come; not yet open."""
        return HttpEventStream(self.rest.http, after=after, report=self.output.note)

    def output_stream(self, pid: int, after: int = 0, *, quiet: bool = False) -> HttpOutputStream:
        """Return a stream of the output of a procedure; not yet open.

        :param pid: ID of the procedure
        :param after: how many lines to skip
        :param quiet: whether to say nothing where the connection is lost and comes back
        """
        return HttpOutputStream(
            self.rest.http, pid, after=after, report=_ignore if quiet else self.output.note
        )


def _ignore(_: str) -> None:
    """Ignore a report."""


@contextmanager
def open_session(
    url: str,
    token: str,
    as_json: bool,
    subarray_id: int | None = None,
    is_argument: bool = False,
    user: str | None = None,
) -> Iterator[Session]:
    """Work with a service as long as the context lasts.

    :param url: of its REST API
    :param token: sent with every request, unless empty
    :param as_json: write for programs
    :param subarray_id: number of the subarray whose controller is to be worked with, if it was typed
    :param is_argument: whether that number is also an argument of a script
    :param user: name of the user; by default the user of this process
    :raises CommandError: if the service does not have that subarray
    :raises MisuseError: if the URL or the token cannot be used
    """
    with closing(HttpSession(url, token, user)) as http:
        chosen = None if subarray_id is None else chosen_url(http, subarray_id, is_argument)
        if chosen is not None:
            http.url = chosen
        yield Session(RestClient(http), CommandOutput(as_json), subarray_id, chosen is not None)
