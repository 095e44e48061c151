"""The topics of the event bus, as pypubsub topic definitions.

A script publishes with ``pub.sendMessage(topics.user.script.announce, msg="…")``. The nesting of the
classes is the tree of topics; the parameters of a leaf's ``msgDataSpec`` are the data of its messages,
and mean the same on all topics:

- msg_src: component that the message comes from; by default the procedure
- request_id: time of the request, seconds since 1970; the same in all events that it causes
- cmd: the request, as a client made it
- pids, activity_ids: IDs asked for; None means all
- result: summary of the procedure or activity, or a list of them
- new_state: name of the ProcedureState or ActivityState
- activity_id: activity ID
- stacktrace: stack trace, or the reason, as text
- sb_id: Scheduling Block ID
- scan_id: scan ID
- subarray_id: subarray ID
- error: what the subarray answered
- msg: what the script, or who prepares it, has to say; with progress, what it is doing, e.g. scan 2 of 5
- progress: percentage done, 0 to 100
- refused_topic, size, limit: topic of an event that was too large, its size, and what is allowed, in bytes
"""

from typing import Any


class request:
    """Root of requests that a user or a component has made."""

    class procedure:
        """Requests that concern procedures."""

        class create:
            """A procedure is to be created."""

            @staticmethod
            def msgDataSpec(request_id: Any, cmd: Any, msg_src: Any = None) -> None: ...

        class start:
            """A procedure is to be started."""

            @staticmethod
            def msgDataSpec(request_id: Any, cmd: Any, msg_src: Any = None) -> None: ...

        class stop:
            """A procedure is to be stopped."""

            @staticmethod
            def msgDataSpec(request_id: Any, cmd: Any, msg_src: Any = None) -> None: ...

        class list:
            """Procedures are to be listed."""

            @staticmethod
            def msgDataSpec(request_id: Any, pids: Any = None, msg_src: Any = None) -> None: ...

    class activity:
        """Requests that concern activities."""

        class run:
            """An activity of a Scheduling Block is to be run."""

            @staticmethod
            def msgDataSpec(request_id: Any, cmd: Any, msg_src: Any = None) -> None: ...

        class list:
            """Activities are to be listed."""

            @staticmethod
            def msgDataSpec(request_id: Any, activity_ids: Any = None, msg_src: Any = None) -> None: ...


class procedure:
    """Root of what happens to procedures."""

    class lifecycle:
        """The life of a procedure."""

        class created:
            """A procedure has been created."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...

        class started:
            """A function of a script, init or main, has begun to run."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...

        class stopped:
            """A procedure has been stopped by request."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...

        class complete:
            """A procedure has run to its end."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...

        class failed:
            """A procedure has failed."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...

        class statechange:
            """The state of a procedure has changed."""

            @staticmethod
            def msgDataSpec(new_state: Any, msg_src: Any = None) -> None: ...

        class stacktrace:
            """Why a procedure has failed."""

            @staticmethod
            def msgDataSpec(stacktrace: Any, msg_src: Any = None) -> None: ...

    class environment:
        """What is prepared for a script from git: its files, and its Python environment."""

        class progress:
            """The preparation has come further."""

            @staticmethod
            def msgDataSpec(msg: Any, msg_src: Any = None) -> None: ...

    class pool:
        """All procedures that are known."""

        class list:
            """Procedures have been listed."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...


class activity:
    """Root of what happens to activities."""

    class lifecycle:
        """The life of an activity."""

        class running:
            """An activity has been accepted and its script is on its way."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...

        class statechange:
            """The state of an activity has changed."""

            @staticmethod
            def msgDataSpec(activity_id: Any, new_state: Any, msg_src: Any = None) -> None: ...

    class pool:
        """All activities that are known."""

        class list:
            """Activities have been listed."""

            @staticmethod
            def msgDataSpec(request_id: Any, result: Any, msg_src: Any = None) -> None: ...


class sb:
    """Root of what happens to Scheduling Blocks."""

    class lifecycle:
        """The life of a Scheduling Block."""

        class allocated:
            """Resources have been allocated for a Scheduling Block."""

            @staticmethod
            def msgDataSpec(sb_id: Any, msg_src: Any = None) -> None: ...

        class observation:
            """The observation of a Scheduling Block."""

            class started:
                """An observation has begun."""

                @staticmethod
                def msgDataSpec(sb_id: Any, msg_src: Any = None) -> None: ...

            class finished:
                """An observation has ended."""

                class succeeded:
                    """An observation has ended well."""

                    @staticmethod
                    def msgDataSpec(sb_id: Any, msg_src: Any = None) -> None: ...

                class failed:
                    """An observation has ended with an error."""

                    @staticmethod
                    def msgDataSpec(sb_id: Any, msg_src: Any = None) -> None: ...


class scan:
    """Root of what happens to scans."""

    class lifecycle:
        """The life of a scan."""

        class configure:
            """The configuration of resources for a scan."""

            class started:
                """Configuration has begun."""

                @staticmethod
                def msgDataSpec(sb_id: Any, scan_id: Any, msg_src: Any = None) -> None: ...

            class complete:
                """Configuration has ended well."""

                @staticmethod
                def msgDataSpec(sb_id: Any, scan_id: Any, msg_src: Any = None) -> None: ...

            class failed:
                """Configuration has ended with an error."""

                @staticmethod
                def msgDataSpec(sb_id: Any, scan_id: Any, msg_src: Any = None) -> None: ...

        class start:
            """A scan has begun."""

            @staticmethod
            def msgDataSpec(sb_id: Any, scan_id: Any, msg_src: Any = None) -> None: ...

        class end:
            """A scan has ended."""

            class succeeded:
                """A scan has ended well."""

                @staticmethod
                def msgDataSpec(sb_id: Any, scan_id: Any, msg_src: Any = None) -> None: ...

            class failed:
                """A scan has ended with an error."""

                @staticmethod
                def msgDataSpec(sb_id: Any, scan_id: Any, msg_src: Any = None) -> None: ...


class subarray:
    """Root of what happens to subarrays."""

    class configured:
        """A subarray has been configured."""

        @staticmethod
        def msgDataSpec(subarray_id: Any, msg_src: Any = None) -> None: ...

    class fault:
        """A subarray cannot be reached, or has refused."""

        @staticmethod
        def msgDataSpec(subarray_id: Any, error: Any, msg_src: Any = None) -> None: ...

    class resources:
        """The resources of a subarray."""

        class allocated:
            """Resources have been allocated to a subarray."""

            @staticmethod
            def msgDataSpec(subarray_id: Any, msg_src: Any = None) -> None: ...

        class deallocated:
            """Resources have been released from a subarray."""

            @staticmethod
            def msgDataSpec(subarray_id: Any, msg_src: Any = None) -> None: ...

    class scan:
        """Scans of a subarray."""

        class started:
            """A subarray has begun a scan."""

            @staticmethod
            def msgDataSpec(subarray_id: Any, msg_src: Any = None) -> None: ...

        class finished:
            """A subarray has ended a scan."""

            @staticmethod
            def msgDataSpec(subarray_id: Any, msg_src: Any = None) -> None: ...


class user:
    """Root of what users' scripts have to say."""

    class script:
        """Messages of scripts."""

        class announce:
            """A script says something to its operator."""

            @staticmethod
            def msgDataSpec(msg: Any, msg_src: Any = None) -> None: ...

        class progress:
            """A script says how far it has come."""

            @staticmethod
            def msgDataSpec(progress: Any, msg: Any = None, msg_src: Any = None) -> None: ...

        class refused:
            """An event of a script was too large to be sent."""

            @staticmethod
            def msgDataSpec(
                refused_topic: Any, size: Any, limit: Any, msg: Any, msg_src: Any = None
            ) -> None: ...
