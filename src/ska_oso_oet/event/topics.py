"""The topics of the event bus, as pypubsub topic definitions.

A script publishes with ``pub.sendMessage(topics.user.script.announce, msg="…")``. To import this module
makes the topics known to pypubsub, in the OET and outside of it. The nesting of the classes is the tree of
topics; the parameters of a leaf's ``msgDataSpec`` are the data of its messages, and mean the same on all
topics:

- msg_src: component that the message comes from; where a message is sent without it, it is None for
  listeners in the script, and the procedure for all others
- request_id: time of the request, seconds since 1970; the same in all events that it causes
- cmd: the request, as a client made it
- pids, activity_ids: IDs asked for; None means all
- result: summary of the procedure, activity or entry of the queue, or a list of them
- entry_id: ID of the entry of the queue
- reason: why the queue is in its state, None if that needs no reason
- checkpoint: label of the checkpoint
- number: how many checkpoints the script has reached
- at_checkpoint: what happens at the next checkpoint, PAUSE or STOP; None if nothing does
- question: the question, with its answer if it has one
- new_state: name of the ProcedureState, ActivityState or QueueState
- activity_id: activity ID
- stacktrace: stack trace, or the reason, as text
- sb_id: Scheduling Block ID
- scan_id: scan ID; ``scan.lifecycle.start`` may be sent without it
- subarray_id: subarray ID
- error: what the subarray answered
- msg: text of the script, or of its preparation; with progress, what it is doing, e.g. scan 2 of 5
- progress: percentage done, 0 to 100
- refused_topic: topic of an event that was not published; why is in msg
- size, limit: if it was too large, its size and what is allowed, in bytes
"""

import sys
from typing import Any

from ._observation_topics import sb, scan, subarray
from ._registration import OPTIONAL, register

__all__ = ["activity", "procedure", "queue", "request", "sb", "scan", "subarray", "user"]


class request:
    """Root of requests that a user or a component has made."""

    class procedure:
        """Requests that concern procedures."""

        class create:
            """A procedure is to be created."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class start:
            """A procedure is to be started."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class stop:
            """A procedure is to be stopped."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class pause:
            """A procedure is to wait at its next checkpoint."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class resume:
            """A procedure is to continue; a pause or stop at its next checkpoint is withdrawn."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class step:
            """A procedure is to continue to its next checkpoint, and to wait there."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class answer:
            """A question of a script is answered."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class send:
            """A message is to be sent to the listeners of a script."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class list:
            """Procedures are to be listed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, pids: Any = None) -> None: ...

    class activity:
        """Requests that concern activities."""

        class run:
            """An activity of a Scheduling Block is to be run."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, cmd: Any) -> None: ...

        class list:
            """Activities are to be listed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, activity_ids: Any = None) -> None: ...


class procedure:
    """Root of what happens to procedures."""

    class lifecycle:
        """The life of a procedure."""

        class created:
            """A procedure has been created."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class started:
            """A function of a script, init or main, has begun to run."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class paused:
            """A procedure waits at a checkpoint."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class resumed:
            """A procedure that was paused continues."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class stopped:
            """A procedure has been stopped by request."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class complete:
            """A procedure has run to its end."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class failed:
            """A procedure has failed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class statechange:
            """The state of a procedure has changed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, new_state: Any) -> None: ...

        class stacktrace:
            """Why a procedure has failed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, stacktrace: Any) -> None: ...

    class checkpoint:
        """The checkpoints of a script."""

        class passed:
            """A script has reached a checkpoint that has a label."""

            @staticmethod
            def msgDataSpec(msg_src: Any, checkpoint: Any, number: Any) -> None: ...

        class pending:
            """What happens to a procedure at its next checkpoint has changed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, at_checkpoint: Any) -> None: ...

    class question:
        """Questions of scripts to their operators."""

        class asked:
            """A script asks, and waits for an answer."""

            @staticmethod
            def msgDataSpec(msg_src: Any, question: Any) -> None: ...

        class answered:
            """A question has been answered."""

            @staticmethod
            def msgDataSpec(msg_src: Any, question: Any) -> None: ...

        class expired:
            """The time for an answer is up; the script continues with the default, if there is one."""

            @staticmethod
            def msgDataSpec(msg_src: Any, question: Any) -> None: ...

        class withdrawn:
            """A script no longer waits for an answer: it has ended, or was interrupted."""

            @staticmethod
            def msgDataSpec(msg_src: Any, question: Any) -> None: ...

    class environment:
        """Preparation of a script from git: its files, and its Python environment."""

        class progress:
            """The preparation has progressed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, msg: Any) -> None: ...

    class pool:
        """All procedures that are known."""

        class list:
            """Procedures have been listed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...


class activity:
    """Root of what happens to activities."""

    class lifecycle:
        """The life of an activity."""

        class running:
            """An activity has been accepted and its script is being prepared."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...

        class statechange:
            """The state of an activity has changed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, activity_id: Any, new_state: Any) -> None: ...

    class pool:
        """All activities that are known."""

        class list:
            """Activities have been listed."""

            @staticmethod
            def msgDataSpec(msg_src: Any, request_id: Any, result: Any) -> None: ...


class queue:
    """Root of what happens to the observing queue."""

    class state:
        """The state of the queue has changed."""

        @staticmethod
        def msgDataSpec(msg_src: Any, new_state: Any, reason: Any) -> None: ...

    class entry:
        """The entries of the queue."""

        class added:
            """An entry has been added."""

            @staticmethod
            def msgDataSpec(msg_src: Any, entry_id: Any, result: Any) -> None: ...

        class changed:
            """An entry has been moved or updated, or is in another state."""

            @staticmethod
            def msgDataSpec(msg_src: Any, entry_id: Any, result: Any) -> None: ...

        class removed:
            """An entry has been removed before it began."""

            @staticmethod
            def msgDataSpec(msg_src: Any, entry_id: Any, result: Any) -> None: ...


class user:
    """Root of the messages of users' scripts."""

    class script:
        """Messages of scripts."""

        class announce:
            """A message of a script to its operator."""

            @staticmethod
            def msgDataSpec(msg_src: Any, msg: Any) -> None: ...

        class progress:
            """Progress of a script."""

            @staticmethod
            def msgDataSpec(msg_src: Any, progress: Any, msg: Any = None) -> None: ...

        class refused:
            """An event of a script was not published: it was too large, or only the OET may publish it."""

            @staticmethod
            def msgDataSpec(msg_src: Any, refused_topic: Any, size: Any, limit: Any, msg: Any) -> None: ...


register(sys.modules[__name__], OPTIONAL)
