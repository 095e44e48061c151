"""Activities: what a Scheduling Block says can be done with it, done by procedures.

Layers, each of which uses only those below it: `ui` (JSON in and out), `application` (the service),
`domain` (activities, their states and arguments).
"""
