"""The baseline of HTTP figures: a FastAPI application that does as little as one that streams can do."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tests.benchmarks.stack.stamp import stamped

PATH = "/stream"


def bare_application(trigger: Path, size: int) -> FastAPI:
    """Return an application that streams server-sent events on request through a named pipe.

    :param trigger: the named pipe; each line says how many events to send
    :param size: length of an event, in characters
    """
    streams: set[asyncio.Queue[bytes]] = set()

    async def publish() -> None:
        reader = asyncio.StreamReader()
        with trigger.open("rb") as pipe:
            protocol = asyncio.StreamReaderProtocol(reader)
            await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
            numbers = itertools.count(1)
            async for line in reader:
                for _ in range(int(line)):
                    event = f"data:{stamped(size)}\nid:{next(numbers)}\n\n".encode()
                    for stream in streams:
                        stream.put_nowait(event)

    @asynccontextmanager
    async def publishing(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(publish())
        yield
        task.cancel()

    async def events() -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        streams.add(queue)
        try:
            yield b"\n"
            while True:
                yield await queue.get()
        finally:
            streams.discard(queue)

    application = FastAPI(lifespan=publishing)

    @application.get(PATH)
    async def stream() -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    return application


@click.command()
@click.option("--trigger", type=click.Path(path_type=Path), required=True)
@click.option("--size", type=int, required=True)
def main(trigger: Path, size: int) -> None:
    """Serve until a signal comes, on any free port, which is printed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"listening on port {listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            bare_application(trigger, size),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
