"""The help texts of programs that are not made with click, as Markdown."""

from ska_oso_oet.run.arguments import USAGE
from ska_oso_oet.sidecar.command import command_parser


def sidecar() -> str:
    """Return what ``oet-sidecar --help`` prints."""
    return _listing(command_parser().format_help())


def run() -> str:
    """Return what ``python -m ska_oso_oet.run --help`` prints."""
    return _listing(USAGE)


def _listing(text: str) -> str:
    return f"```text\n{text.strip()}\n```"
