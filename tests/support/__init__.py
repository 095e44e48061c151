"""What tests share: processes of a Tango control system, and clients that speak its protocols."""
