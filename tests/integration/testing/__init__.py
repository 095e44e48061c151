"""What authors of scripts have for their own tests, and the page that explains it."""
