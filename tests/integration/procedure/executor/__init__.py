"""Scripts in real processes, and all that they can do to their executor."""
