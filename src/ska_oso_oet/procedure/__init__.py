"""Script execution: scripts, the processes that run them, and the service that offers both.

Layers, each of which uses only those below it: `ui` (JSON in and out), `application` (the service),
`domain` (scripts, workers, the message loop).
"""
