"""The SKA base-device interface and the long-running-command protocol, for any Tango device.

Nothing here knows what the device is for. A device derives from `SkaBaseDevice` and reports what
happens to it; a command that takes time is a `CommandHandle` of its `CommandTracker`.
"""
