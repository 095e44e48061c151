"""History of procedures: searches among all that are kept, and requests to run them again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ska_oso_oet.journal import Document
from ska_oso_oet.journal.document_view import DocumentView
from ska_oso_oet.model import (
    ExecutableScript,
    GitScript,
    HistoryQuery,
    ProcedureInput,
    ProcedureSummary,
)

from .commands import PrepareProcessCommand

_LOOKED_AT = 200
"""How many procedures one query looks at: a rare text is found by several."""

_STEP = 50


def find(view: DocumentView, query: HistoryQuery) -> tuple[list[Document], int | None]:
    """Return procedures, newest first, and the ID before which to read on; None if there are no more.

    :param view: the documents of procedures
    :param query: which procedures
    :raises JournalUnavailableError: if the journal cannot be read at present
    """
    found: list[Document] = []
    before = query.before
    for _ in range(_LOOKED_AT // _STEP):
        documents, before = view.older(before, _STEP)
        for document in documents:
            summary: ProcedureSummary = document.value
            if query.since is not None and 0 < summary.created < query.since:
                # Those before it are older.
                return found, None
            if _matches(document, query):
                found.append(document)
                if len(found) == query.limit:
                    return found, document.id
        if before is None:
            break
    return found, before


def _matches(document: Document, query: HistoryQuery) -> bool:
    summary: ProcedureSummary = document.value
    return (
        (not query.state or summary.state in query.state)
        and (query.since is None or summary.created >= query.since)
        and (query.until is None or summary.created <= query.until)
        and query.script in (summary.script.script_uri or "")
        and query.text.casefold() in document.text.casefold()
    )


def rerun(summary: ProcedureSummary, replaced: Mapping[Any, ProcedureInput]) -> PrepareProcessCommand:
    """Return the command that prepares the script of a procedure again.

    A script from git is of the same commit.

    :param summary: the procedure
    :param replaced: arguments that replace those of the procedure, by function: those by name one by one,
        those by position all together
    """
    init, main = (summary.arguments_of(function) for function in ("init", "main"))
    return PrepareProcessCommand(_same(summary), init or ProcedureInput(), main, replaced)


def _same(summary: ProcedureSummary) -> ExecutableScript:
    script = summary.script
    if isinstance(script, GitScript) and summary.commit is not None:
        return replace(script, git_args=replace(script.git_args, git_commit=summary.commit))
    return script
