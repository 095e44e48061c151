"""Scripts that ship with the OET: small examples, and the script that aborts a subarray."""
