"""Activities: the actions that a Scheduling Block defines, each carried out by a procedure.

Layers, each of which uses only those below it: `ui` (JSON in and out), `application` (the service),
`domain` (activities, their states and arguments).
"""
