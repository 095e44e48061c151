"""Tests with real processes, device servers, databases and HTTP servers."""
