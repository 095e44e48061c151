"""Preloaded by the forkserver, last of all: importing this tells it that it may have children from now on."""

from .forkserver import all_is_imported

all_is_imported()
