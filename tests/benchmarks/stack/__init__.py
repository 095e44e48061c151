"""The measured systems: all of them real, each in processes of its own."""
