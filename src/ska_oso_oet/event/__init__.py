"""The event bus: topics, numbering, and publication of events after they are in the journal."""

from . import topics

__all__ = ["topics"]
