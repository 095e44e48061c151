"""Tests of the control page, in a browser."""
