"""The scripts that ship, against a telescope of Tango devices."""
