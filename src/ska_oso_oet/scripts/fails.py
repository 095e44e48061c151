"""A script that fails: the procedure ends FAILED, with this stack trace."""


def main(reason: str = "the antenna is stuck") -> None:
    """Fail.

    :param reason: the message
    :raises RuntimeError: always
    """
    print("About to fail")
    raise RuntimeError(reason)
