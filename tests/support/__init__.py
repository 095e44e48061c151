"""Support for tests: processes of a Tango control system, and clients of its protocols."""
