"""Sample Scheduling Blocks, for sites without an ODA."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from ska_oso_oet.activity.application import SAMPLES_DIR

_VARIABLES = ("ODA_BACKEND_TYPE", "ODA_DATA_DIR")


def provide_scheduling_blocks(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Create an ODA of files with the Scheduling Blocks that ship, unless the environment names another.

    Existing files in the folder are not changed. A copy is used because the ODA stores records of executions
    next to the Scheduling Blocks.

    :param folder: where the ODA is to be
    :param environment: environment variables
    :raises OSError: if the folder cannot be made
    :returns: environment variables to set in addition
    """
    if any(environment.get(name) for name in _VARIABLES):
        return {}
    if not folder.exists():
        shutil.copytree(SAMPLES_DIR, folder)
    return dict(zip(_VARIABLES, ("filesystem", str(folder)), strict=True))
