"""The client of a controller, against a live one."""
