"""The SKA interface, on a live test device."""
