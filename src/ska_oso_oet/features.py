"""Feature flags of the OET: set once, at deployment, and not changed while it runs.

The value of a flag comes from the first of these that has one:

1. the environment variable ``OET_`` and the flag's name in capitals, e.g. OET_NEW_THING;
2. the section ``[ska_oso_oet]`` of ``ska_oso_oet.ini``, e.g. ``new_thing = yes``: in the home folder, or else
   in the folder that Python is installed in (``sys.prefix``);
3. the default in the code that reads the flag.

``1``, ``yes``, ``true`` and ``on`` switch a feature on, ``0``, ``no``, ``false`` and ``off`` switch it off.
"""

import configparser
import os
import sys
from configparser import ConfigParser
from os import PathLike

SECTION = "ska_oso_oet"
FILE_NAME = "ska_oso_oet.ini"

RECORD_EXECUTIONS = "record_executions"
"""Flag: whether each activity that is executed is recorded in the ODA; on, unless a site switches it off."""


class Features:
    """The features that are switched on.

    :param config_parser: the parsed .ini files
    """

    def __init__(self, config_parser: ConfigParser) -> None:
        self._config = config_parser

    @staticmethod
    def create_from_config_files(*paths: str | PathLike[str]) -> "Features":
        """Create a new Features instance from a set of feature flag configuration files.

        :param paths: configuration files to parse; later ones outrank earlier ones, and a file that does
            not exist counts as empty
        :raises configparser.Error: if a file is not an .ini file
        """
        parser = ConfigParser(interpolation=None)
        parser.read(paths)
        return Features(parser)

    def is_enabled(self, name: str, *, default: bool) -> bool:
        """Return whether a feature is switched on.

        :param name: name of its flag, in lower case
        :param default: its value if it is not set
        :raises ValueError: if it was set to something that means neither on nor off
        """
        variable = f"OET_{name.upper()}"
        value = os.environ.get(variable)
        source = f"environment variable {variable}"
        if value is None:
            value = self._config.get(SECTION, name, fallback=None)
            source = f"option '{name}' in section [{SECTION}]"
        if value is None:
            return default
        try:
            return ConfigParser.BOOLEAN_STATES[value.strip().lower()]
        except KeyError:
            raise ValueError(f"{source} is {value!r}; set it to 'true' or 'false'") from None


def features_of_this_site() -> Features:
    """Return the flags as this site has set them.

    :raises ValueError: if a file of flags is not an .ini file
    """
    paths = [os.path.join(folder, FILE_NAME) for folder in (sys.prefix, os.path.expanduser("~"))]
    try:
        return Features.create_from_config_files(*paths)
    except configparser.Error as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"the file of feature flags cannot be read: {reason}; fix or remove it") from error
