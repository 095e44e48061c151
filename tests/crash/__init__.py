"""Kills device servers at random moments, and compares what clients saw with what is remembered."""
