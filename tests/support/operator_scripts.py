"""Texts of scripts that talk to their operator, for tests of every interface."""

SCANS = """
import time
from ska_oso_oet.interaction import checkpoint

def main():
    scan = 0
    while True:
        scan += 1
        checkpoint(f"scan {scan}")
        time.sleep(0.005)
"""
"""Comes to one checkpoint after the other, until it is stopped."""

LISTENS = """
from pubsub import pub
from ska_oso_oet.interaction import ask, context

def say(text):
    print(text + "\\n", end="")

def on_note(text):
    say("note: " + text)

def main():
    pub.subscribe(on_note, "operator.note")
"""
"""Prints what is sent to it; what ``main`` does then is added.

It prints from two threads. So a line is written at once: Python writes the arguments and the end one by one.
"""
