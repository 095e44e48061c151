"""The socket by which a Tango server sends its events, which a client can spoil while the server starts.

Tango creates it for the first subscription. If that comes while the server is exported, but has not finished
its start, the creation stops half-way: all later subscriptions get an address without a port, and fail, until
the server is started again (cppTango 10.3, `ZmqEventSupplier::create_event_socket`).
"""

import tango


def require_finished_start() -> None:
    """Check that clients may subscribe to events of this server.

    :raises tango.DevFailed: if they have to wait a moment
    """
    tango.Util.instance().get_dserver_device()  # Tango itself refuses it until then


def is_spoiled() -> bool:
    """Return whether no client can receive events of this server. To be called when its start is finished."""
    util = tango.Util.instance()
    try:
        admin = tango.DeviceProxy(util.get_dserver_device().get_name())
        # What Tango offers for this are lines: "Heartbeat: ENDPOINT", then "Event: ENDPOINT".
        _, (_, event, *_) = admin.command_inout("ZmqEventSubscriptionChange", ["info"])
    except tango.DevFailed:
        return False  # e.g. without a database
    endpoint = event.partition(": ")[2].partition("\n")[0]
    # Before the first subscription there is none.
    return bool(endpoint) and not endpoint.rpartition(":")[2].isdigit()
