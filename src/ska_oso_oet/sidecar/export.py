"""``GET /procedures/{id}/export``: all that is kept of a procedure, as one archive."""

import asyncio
import json
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import IO, Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from ska_oso_oet.client import Controller, EventsNoLongerKeptError, NotKeptError
from ska_oso_oet.client.raw_events import RawEvent
from ska_oso_oet.model import ProcedureSummary

from .clients import unless_client_leaves
from .errors import responses
from .json_route import JsonRoute
from .procedures import PROCEDURES, ProcedureId
from .service import ControllerDependency
from .settings import API
from .wire import procedure_json

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Procedures"])

_IN_MEMORY = 1 << 22
_PART = 1 << 18
_READ = 1000
_CLIENT_LEFT = 499
"""Status in the access log, as that of nginx, for a client that has disconnected. It is never sent."""
_SLACK = 2.0
"""Seconds before a procedure was requested, and after it has ended, in which there may be events about it."""

_ARCHIVE: dict[str, Any] = {
    "description": "a ZIP archive with `summary.json`, `events.jsonl`, `output.txt`, `environment.json` and "
    "`files/`, as far as they are kept",
    "content": {"application/zip": {"schema": {}}},
}


@router.get(
    "/procedures/{procedure_id}/export",
    response_class=Response,
    responses={HTTPStatus.OK.value: _ARCHIVE, **responses(403, 404, 500, 503, 504)},
    summary="Export a procedure",
)
async def export_procedure(
    procedure_id: ProcedureId, request: Request, controller: ControllerDependency
) -> Response:
    """Return the summary, events, output, files and environment of a procedure as one archive."""
    procedure = await PROCEDURES.find(controller, procedure_id)
    summary = procedure_json(procedure, request)
    archive = await unless_client_leaves(request, _archive(controller, procedure, summary))
    if archive is None:
        return Response(status_code=_CLIENT_LEFT)
    headers = {
        "Content-Disposition": f'attachment; filename="procedure-{procedure_id}.zip"',
        "Content-Length": str(archive.seek(0, os.SEEK_END)),
    }
    archive.seek(0)
    return StreamingResponse(_parts(archive), headers=headers, media_type="application/zip")


async def _archive(controller: Controller, procedure: ProcedureSummary, summary: dict[str, Any]) -> IO[bytes]:
    """Return a new archive, which is removed when it is closed."""
    archive: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed when it is sent
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
            await _write(written, controller, procedure, summary)
    except BaseException:
        archive.close()
        raise
    return archive


async def _parts(archive: IO[bytes]) -> AsyncIterator[bytes]:
    with archive:
        while part := await asyncio.to_thread(archive.read, _PART):
            yield part


async def _write(
    archive: zipfile.ZipFile, controller: Controller, procedure: ProcedureSummary, summary: dict[str, Any]
) -> None:
    """Write all parts of an archive. Other threads compress them: that takes a while."""
    folder = f"procedure-{procedure.id}"

    async def add(name: str, parts: AsyncIterator[bytes]) -> None:
        with archive.open(f"{folder}/{name}", "w", force_zip64=True) as entry:
            async for part in parts:
                await _in_thread(entry.write, part)

    text = json.dumps(summary, ensure_ascii=False, indent=2)
    archive.writestr(f"{folder}/summary.json", text)
    await add("events.jsonl", _events(controller, procedure))
    with suppress(NotKeptError):
        environment = await controller.records.environment(procedure.id)
        archive.writestr(f"{folder}/environment.json", environment.model_dump_json(indent=2))
    with suppress(NotKeptError):
        await controller.output(procedure.id, 0, 1)
        await add("output.txt", _output(controller, procedure.id))
    for file in (await controller.records.files(procedure.id)).files:
        with suppress(NotKeptError):
            parts = await controller.records.file(procedure.id, file.name, file.size)
            await add(f"files/{file.name}", parts)


async def _in_thread(write: Callable[[bytes], int], part: bytes) -> None:
    """Write in another thread, to the end even after a cancellation, which closes the archive."""
    writing = asyncio.create_task(asyncio.to_thread(write, part))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise


async def _output(controller: Controller, procedure_id: int) -> AsyncIterator[bytes]:
    after = 0
    while True:
        output = await controller.output(procedure_id, after, _READ)
        if output.dropped:
            yield f"[… {output.dropped} lines are no longer kept …]\n".encode()
        if output.lines:
            yield "".join(f"{line}\n" for line in output.lines).encode()
        if output.ended or not output.lines:
            return
        after = output.next


async def _events(controller: Controller, procedure: ProcedureSummary) -> AsyncIterator[bytes]:
    """Yield the events of a procedure, a line of JSON for each, as far as they are kept."""
    states = procedure.history.process_states
    end = states[-1][1] + _SLACK if procedure.state.is_final and states else None
    with suppress(EventsNoLongerKeptError):  # they may be dropped while they are read
        after = await _number_before(controller, procedure.created - _SLACK)
        while events := await controller.past_raw_events(after, _READ):
            mine = [event for event in events if _is_of(event, procedure.id)]
            yield "".join(f"{event.text}\n" for event in mine).encode()
            after = events[-1].seq
            if end is not None and events[-1].time > end:
                return


def _is_of(event: RawEvent, procedure_id: int) -> bool:
    """Return whether an event is of a procedure, or a request about it."""
    fields = json.loads(event.text)
    cmd = fields.get("cmd")
    named = cmd.get("pid") if isinstance(cmd, dict) else None
    return fields.get("msg_src") == str(procedure_id) or (
        named == procedure_id and str(fields.get("topic", "")).startswith("request.procedure.")
    )


async def _number_before(controller: Controller, time: float) -> int:
    """Return the number after which the events begin that have happened since a time."""
    low = 0
    try:
        await controller.past_raw_events(0, 1)
    except EventsNoLongerKeptError as error:
        low = error.first - 1
    high = max(low, await controller.records.last_event_id())
    while low < high:
        middle = (low + high) // 2
        found = await controller.past_raw_events(middle, 1)
        if found and found[0].time < time:
            low = middle + 1
        else:
            high = middle
    return low
