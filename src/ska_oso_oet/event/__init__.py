"""The event bus: topics, numbering, and the journal that events are written to before anybody is told."""
