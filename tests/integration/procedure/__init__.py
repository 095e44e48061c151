"""Scripts and what they run in."""
