"""Removes folders of files, whatever a script has made of them."""

import logging
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

LOGGER = logging.getLogger(__name__)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it. What cannot be removed stays, and is told of in the log.

    :param folder: the folder; it need not exist
    """
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if not folder.exists():
        return
    # Folders that may not be entered, or are nested deeper than Python descends.
    try:
        for command in (["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
            done = subprocess.run([*command, folder], stderr=subprocess.PIPE, check=False)
    except OSError as error:
        LOGGER.warning("The folder %s cannot be removed: %s", folder, error)
        return
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "replace")
        LOGGER.warning("The folder %s cannot be removed: %s", folder, told[-500:])
