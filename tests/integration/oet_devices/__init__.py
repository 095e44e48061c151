"""The device server, through Tango."""
