"""Clients of Tango devices, one for each device."""

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import tango

ProxyFactory: TypeAlias = Callable[[str], Any]
"""Returns, for the FQDN of a device, an object with the interface of ``tango.DeviceProxy``."""


class TangoDeviceProxyFactory:
    """Creates Tango clients, one for each device, and returns the same one each time.

    A Tango client finds its device again by itself when the device has been restarted, so a client is never
    created again. Replace this factory to run a script against something else.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._proxies: dict[str, tango.DeviceProxy] = {}

    def __call__(self, device_name: str) -> tango.DeviceProxy:
        """Return the client of a device.

        :param device_name: the FQDN of the device, e.g. ``mid-tmc/subarray/01``
        :raises tango.DevFailed: if the Tango database cannot be reached or does not know the device
        """
        key = device_name.lower()
        with self._lock:
            proxy = self._proxies.get(key)
        if proxy is None:
            # Outside the lock: this may wait for the network, which must not delay other devices.
            proxy = tango.DeviceProxy(device_name)
            with self._lock:
                proxy = self._proxies.setdefault(key, proxy)
        return proxy


DEFAULT_PROXY_FACTORY = TangoDeviceProxyFactory()
