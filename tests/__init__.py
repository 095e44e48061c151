"""Tests, and the commands that measure and torment."""
