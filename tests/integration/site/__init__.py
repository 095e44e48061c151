"""Files that ship for a site, compared with the live device."""
