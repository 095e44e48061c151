"""Commands of an OETController that read records of procedures, and figures for monitoring."""

from typing import Protocol

from tango import DispLevel
from tango.server import command

from .figures import Figures
from .publishing import Shown


class WithRecords(Protocol):
    """A device with the records of procedures.

    :ivar shown: the values for clients
    :ivar figures: its figures
    """

    shown: Shown
    figures: Figures


@command(
    dtype_in="DevString",
    doc_in='JSON: {"state": ["FAILED"], "script": "observe", "text": "Vega", "since": time, '
    '"until": time, "before": ID, "limit": n}, each of them optional; times are seconds since 1970',
    dtype_out="DevString",
    doc_out='JSON: {"procedures": [summary, ...], "next": ID}; read on with "before" = "next" until '
    "that is null",
)
def GetProcedures(self: WithRecords, argin: str) -> str:
    """Find procedures, newest first, among all that are kept. One answer may be empty before the last."""
    return self.shown.procedures.find(argin)


@command(
    dtype_in="DevString",
    doc_in='JSON: {"pid": 2, "after": line, "limit": n}, each of them optional',
    dtype_out="DevString",
    doc_out='JSON: {"lines": [...], "next": line, "dropped": n, "ended": false}; read on with "after" = '
    '"next" until "ended"',
)
def GetOutput(self: WithRecords, argin: str) -> str:
    """Return lines that a script has written to its standard output and error."""
    return self.shown.procedures.output(argin)


@command(
    dtype_in="DevString",
    doc_in='JSON: {"pid": 2}, or nothing for the procedure that was created last',
    dtype_out="DevString",
    doc_out='JSON: {"files": [{"name", "size", "kept"}], "omitted": n}',
)
def GetFiles(self: WithRecords, argin: str) -> str:
    """List the files in the working directory of a script, or those that it has left there."""
    return self.shown.records.files(argin)


@command(
    dtype_in="DevString",
    doc_in='JSON: {"pid": 2, "name": "plots/beam.png", "offset": bytes, "limit": n}; "name" is needed',
    dtype_out="DevEncoded",
    doc_out="The part of the file, of at most 1 MiB; empty at its end. Read on with a greater offset",
)
def GetFile(self: WithRecords, argin: str) -> tuple[str, bytes]:
    """Return a part of a file that a script has written to its working directory."""
    return self.shown.records.file(argin)


@command(
    dtype_in="DevString",
    doc_in='JSON: {"pid": 2}, or nothing for the procedure that was created last',
    dtype_out="DevString",
    doc_out='JSON: {"python": "3.11.2", "packages": ["name==version", ...]}',
    display_level=DispLevel.EXPERT,
)
def GetEnvironment(self: WithRecords, argin: str) -> str:
    """Return the Python environment that a script ran in, to run it again in the same one."""
    return self.shown.records.environment(argin)


@command(
    dtype_out="DevString",
    doc_out='JSON: {"ended": {"COMPLETE": n, ...}, "durations": {"main": {"counts", "sum"}, ...}, ...}',
    display_level=DispLevel.EXPERT,
)
def GetFigures(self: WithRecords) -> str:
    """Return the figures of the controller, for monitoring."""
    return self.figures.read()
