"""Thousands of procedures, killed, stopped and started at random: ``python -m tests.stress --help``."""
