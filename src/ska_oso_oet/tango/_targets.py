"""Targets of a script: attributes and commands of Tango devices."""

from typing import Any


class Attribute:
    """A Tango attribute. As Tango does, comparisons ignore the case of both names.

    :param device: the FQDN of the Tango device, e.g. ``mid-tmc/subarray/01``
    :param name: name of the attribute
    """

    def __init__(self, device: str, name: str) -> None:
        self.device = device
        self.name = name

    def __repr__(self) -> str:
        return f"Attribute({self.device!r}, {self.name!r})"

    def __str__(self) -> str:
        return f"{self.device}/{self.name}"

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Attribute) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str]:
        return self.device.lower(), self.name.lower()


class Command:
    """A command of a Tango device, with its argument.

    :param device: the FQDN of the Tango device, e.g. ``mid-tmc/subarray/01``
    :param command_name: name of the command
    :param args: the argument; several make up the array that the command takes
    :param kwargs: keyword arguments for ``DeviceProxy.command_inout``, e.g. ``timeout`` in seconds
    """

    def __init__(self, device: str, command_name: str, *args: Any, **kwargs: Any) -> None:
        self.device = device
        self.command_name = command_name
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        arguments = [repr(argument) for argument in (self.device, self.command_name, *self.args)]
        arguments += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"Command({', '.join(arguments)})"

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Command) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # arguments may be lists

    @property
    def _key(self) -> tuple[str, str, tuple[Any, ...], dict[str, Any]]:
        return self.device.lower(), self.command_name.lower(), self.args, self.kwargs
