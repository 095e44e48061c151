"""Activities, through the device."""
