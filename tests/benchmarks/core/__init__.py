"""Measurement, assessment and report of figures of all kinds."""
