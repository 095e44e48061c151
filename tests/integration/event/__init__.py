"""The package of events, as other programs use it."""
