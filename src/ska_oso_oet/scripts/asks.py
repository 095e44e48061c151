"""A script that waits for its operator: it asks before it continues, and takes a value."""

from ska_oso_oet.interaction import ask


def main(timeout: float | None = None) -> dict[str, object]:
    """Ask two questions, and return the answers.

    :param timeout: seconds after which the second one has its default; without it, any time
    """
    stowed = ask("Is dish 012 stowed?", choices=["yes", "no"])
    elevation = ask(
        "At which elevation is the beam measured?",
        type=float,
        unit="deg",
        minimum=15,
        maximum=85,
        default=45.0,
        timeout=timeout,
    )
    print(f"stowed: {stowed}, elevation: {elevation:g} deg")
    return {"stowed": stowed, "elevation": elevation}
