"""The SKA base-device interface and the long-running-command protocol, for any Tango device.

This package does not depend on the purpose of the device. A device derives from `SkaBaseDevice` and reports
its changes; a command that takes time is a `CommandHandle` of its `CommandTracker`.
"""
