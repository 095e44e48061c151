"""Preloaded by the forkserver, last of all: importing this tells it that it may have children from now on."""

import gc

from .forkserver import all_is_imported

# Python's search for garbage writes to every object that it looks at. What is imported by now is none: left
# out, it stays shared with the children, and no child is held up for as long as looking through it takes.
gc.freeze()
all_is_imported()
