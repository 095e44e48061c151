"""Command-line tools of the device server: the stack, registration, probes, the demo, generated files."""
