"""A module that takes its time to be imported, and says when that begins."""

import sys
import threading

sys.stdout.write("importing\n")
sys.stdout.flush()
threading.Event().wait(60)
