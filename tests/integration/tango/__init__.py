"""Tango for authors of scripts, against real devices."""
