"""The `oet` command: controls a remote OET, over HTTP only, so that it installs without PyTango."""

from .app import main

__all__ = ["main"]
