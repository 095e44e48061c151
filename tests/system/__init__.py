"""Tests with the software of a site: Debian's Tango database, access control and Starter."""
