"""The pytest plugin for authors of scripts, and its page."""
