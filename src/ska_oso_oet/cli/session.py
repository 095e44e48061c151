"""What a command works with: a service, and where to write."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from .connection import HttpSession
from .output import Output
from .rest import Reply, RestClient
from .stream import EventStream

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    rest: RestClient
    output: Output

    def show(self, reply: Reply[T], print_: Callable[[Output, T], None]) -> None:
        """Print what the service answered.

        :param reply: its answer
        :param print_: prints it for people
        """
        if self.output.as_json:
            self.output.json(reply.body)
        else:
            print_(self.output, reply.content)

    def stream(self, after: int | None = None) -> EventStream:
        """Return a stream of the events after a number, or of those to come; not yet open."""
        return EventStream(self.rest.http, after=after, report=self.output.note)


@contextmanager
def open_session(url: str, token: str, as_json: bool) -> Iterator[Session]:
    """Work with a service as long as the context lasts.

    :param url: of its REST API
    :param token: sent with every request, unless empty
    :param as_json: write for programs
    :raises MisuseError: if the URL or the token cannot be used
    """
    with closing(HttpSession(url, token)) as http:
        yield Session(RestClient(http), Output(as_json))
