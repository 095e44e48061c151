"""The topics of observations, which scripts publish on; see `topics`."""

from typing import Any


class sb:
    """Root of what happens to Scheduling Blocks."""

    class lifecycle:
        """The life of a Scheduling Block."""

        class allocated:
            """Resources have been allocated for a Scheduling Block."""

            @staticmethod
            def msgDataSpec(msg_src: Any, sb_id: Any) -> None: ...

        class observation:
            """The observation of a Scheduling Block."""

            class started:
                """An observation has begun."""

                @staticmethod
                def msgDataSpec(msg_src: Any, sb_id: Any) -> None: ...

            class finished:
                """An observation has ended."""

                class succeeded:
                    """An observation has ended well."""

                    @staticmethod
                    def msgDataSpec(msg_src: Any, sb_id: Any) -> None: ...

                class failed:
                    """An observation has ended with an error."""

                    @staticmethod
                    def msgDataSpec(msg_src: Any, sb_id: Any) -> None: ...


class scan:
    """Root of what happens to scans."""

    class lifecycle:
        """The life of a scan."""

        class configure:
            """The configuration of resources for a scan."""

            class started:
                """Configuration has begun."""

                @staticmethod
                def msgDataSpec(msg_src: Any, sb_id: Any, scan_id: Any) -> None: ...

            class complete:
                """Configuration has ended well."""

                @staticmethod
                def msgDataSpec(msg_src: Any, sb_id: Any, scan_id: Any) -> None: ...

            class failed:
                """Configuration has ended with an error."""

                @staticmethod
                def msgDataSpec(msg_src: Any, sb_id: Any, scan_id: Any) -> None: ...

        class start:
            """A scan has begun."""

            @staticmethod
            def msgDataSpec(msg_src: Any, sb_id: Any, scan_id: Any) -> None: ...

        class end:
            """A scan has ended."""

            class succeeded:
                """A scan has ended well."""

                @staticmethod
                def msgDataSpec(msg_src: Any, sb_id: Any, scan_id: Any) -> None: ...

            class failed:
                """A scan has ended with an error."""

                @staticmethod
                def msgDataSpec(msg_src: Any, sb_id: Any, scan_id: Any) -> None: ...


class subarray:
    """Root of what happens to subarrays."""

    class configured:
        """A subarray has been configured."""

        @staticmethod
        def msgDataSpec(msg_src: Any, subarray_id: Any) -> None: ...

    class fault:
        """A subarray cannot be reached, or has refused."""

        @staticmethod
        def msgDataSpec(msg_src: Any, subarray_id: Any, error: Any) -> None: ...

    class resources:
        """The resources of a subarray."""

        class allocated:
            """Resources have been allocated to a subarray."""

            @staticmethod
            def msgDataSpec(msg_src: Any, subarray_id: Any) -> None: ...

        class deallocated:
            """Resources have been released from a subarray."""

            @staticmethod
            def msgDataSpec(msg_src: Any, subarray_id: Any) -> None: ...

    class scan:
        """Scans of a subarray."""

        class started:
            """A subarray has begun a scan."""

            @staticmethod
            def msgDataSpec(msg_src: Any, subarray_id: Any) -> None: ...

        class finished:
            """A subarray has ended a scan."""

            @staticmethod
            def msgDataSpec(msg_src: Any, subarray_id: Any) -> None: ...
