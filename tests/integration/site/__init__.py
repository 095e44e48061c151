"""What ships for a site, against the live device."""
