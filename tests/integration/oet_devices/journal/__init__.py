"""Journals behind a device server."""
