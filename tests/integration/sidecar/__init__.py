"""The sidecar, by HTTP."""
