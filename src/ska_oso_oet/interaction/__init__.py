"""Interaction of a script with its operator, for authors of scripts.

- `checkpoint` marks a place where the script may be paused, stepped or stopped;
- `ask` waits for an answer of the operator;
- `context` has the values that operators have set for all scripts.

`checkpoint_async` and `ask_async` are for coroutines. Outside of the OET a checkpoint does nothing, and a
question is asked on the terminal.

A ``yield`` of a ``main`` that is a generator is a checkpoint too: if its value is a text or a number, that is
its label.
"""

from ._checkpoints import checkpoint, checkpoint_async
from ._context import context
from ._questions import ask, ask_async

__all__ = ["ask", "ask_async", "checkpoint", "checkpoint_async", "context"]
