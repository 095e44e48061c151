"""The topics as type checkers see them: texts, which pypubsub takes as names of topics."""

from typing import Any

class _Topic(str):
    @staticmethod
    def msgDataSpec(*args: Any, **kwargs: Any) -> None: ...

class _RequestProcedure(_Topic):
    create: _Topic
    start: _Topic
    stop: _Topic
    pause: _Topic
    resume: _Topic
    step: _Topic
    answer: _Topic
    send: _Topic
    list: _Topic

class _RequestActivity(_Topic):
    run: _Topic
    list: _Topic

class _Request(_Topic):
    procedure: _RequestProcedure
    activity: _RequestActivity

class _ProcedureLifecycle(_Topic):
    created: _Topic
    started: _Topic
    paused: _Topic
    resumed: _Topic
    stopped: _Topic
    complete: _Topic
    failed: _Topic
    statechange: _Topic
    stacktrace: _Topic

class _ProcedureCheckpoint(_Topic):
    passed: _Topic
    pending: _Topic

class _ProcedureQuestion(_Topic):
    asked: _Topic
    answered: _Topic
    expired: _Topic
    withdrawn: _Topic

class _ProcedureEnvironment(_Topic):
    progress: _Topic

class _ProcedurePool(_Topic):
    list: _Topic

class _Procedure(_Topic):
    lifecycle: _ProcedureLifecycle
    checkpoint: _ProcedureCheckpoint
    question: _ProcedureQuestion
    environment: _ProcedureEnvironment
    pool: _ProcedurePool

class _ActivityLifecycle(_Topic):
    running: _Topic
    statechange: _Topic

class _ActivityPool(_Topic):
    list: _Topic

class _Activity(_Topic):
    lifecycle: _ActivityLifecycle
    pool: _ActivityPool

class _QueueEntry(_Topic):
    added: _Topic
    changed: _Topic
    removed: _Topic

class _Queue(_Topic):
    state: _Topic
    entry: _QueueEntry

class _SbLifecycleObservationFinished(_Topic):
    succeeded: _Topic
    failed: _Topic

class _SbLifecycleObservation(_Topic):
    started: _Topic
    finished: _SbLifecycleObservationFinished

class _SbLifecycle(_Topic):
    allocated: _Topic
    observation: _SbLifecycleObservation

class _Sb(_Topic):
    lifecycle: _SbLifecycle

class _ScanLifecycleConfigure(_Topic):
    started: _Topic
    complete: _Topic
    failed: _Topic

class _ScanLifecycleEnd(_Topic):
    succeeded: _Topic
    failed: _Topic

class _ScanLifecycle(_Topic):
    configure: _ScanLifecycleConfigure
    start: _Topic
    end: _ScanLifecycleEnd

class _Scan(_Topic):
    lifecycle: _ScanLifecycle

class _SubarrayResources(_Topic):
    allocated: _Topic
    deallocated: _Topic

class _SubarrayScan(_Topic):
    started: _Topic
    finished: _Topic

class _Subarray(_Topic):
    configured: _Topic
    fault: _Topic
    resources: _SubarrayResources
    scan: _SubarrayScan

class _UserScript(_Topic):
    announce: _Topic
    progress: _Topic
    refused: _Topic

class _User(_Topic):
    script: _UserScript

request: _Request
procedure: _Procedure
activity: _Activity
queue: _Queue
sb: _Sb
scan: _Scan
subarray: _Subarray
user: _User
