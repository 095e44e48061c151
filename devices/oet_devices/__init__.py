"""Tango device server of the Observation Execution Tool."""
