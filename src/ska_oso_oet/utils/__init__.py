"""Helpers of the user-interface layers."""
