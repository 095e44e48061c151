"""Execution of procedures in the server: the process manager, its message loop, and what they own."""
