"""What a site uses: Debian's Tango database, access control and Starter."""
