"""Scripts that authors run in their own terminal."""
