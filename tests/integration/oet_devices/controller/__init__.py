"""The controller, through Tango."""
