"""The event bus: topics, numbering, and the journal that events are written to before anybody sees them."""

from . import topics

__all__ = ["topics"]
