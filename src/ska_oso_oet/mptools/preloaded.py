"""Preloaded by the forkserver, last of all: importing this reports that it may have children from now on."""

import gc

from .forkserver import all_is_imported

# Python's search for garbage writes to every object that it looks at. Imported objects are not garbage:
# without them, the search does not copy their memory in each child, and takes less time.
gc.freeze()
all_is_imported()
