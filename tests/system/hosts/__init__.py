"""A site of several hosts."""
