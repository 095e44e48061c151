"""OETController as clients of the long-running-command protocol, and people at a prompt, see it."""
