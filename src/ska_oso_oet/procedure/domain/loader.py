"""Turns a script into a module."""

import importlib.util
import linecache
import sys
from types import ModuleType

from .scripts import EmbeddedStringScript, ExecutableScript, FileSystemScript

MODULE_NAME = "user_module"
"""Name that a script's module has while it runs."""


class ModuleFactory:
    """Makes Python modules of scripts."""

    @staticmethod
    def get_module(script: ExecutableScript) -> ModuleType:
        """Load a script: its top level is executed.

        The module can be found as `MODULE_NAME` by what looks classes up by name, such as pickle.

        :param script: the script to load
        :raises OSError: if its file cannot be read
        :raises SyntaxError: if it is no Python
        :raises Exception: whatever its top level raises
        """
        if isinstance(script, FileSystemScript):
            # Like `python script.py`: modules beside the script can be imported.
            sys.path.insert(0, str(script.path.parent))
            code = compile(script.path.read_bytes(), str(script.path), "exec", dont_inherit=True)
            origin = str(script.path)
        elif isinstance(script, EmbeddedStringScript):
            code = compile(script.script, script.name, "exec", dont_inherit=True)
            origin = script.name
            # For stack traces, which show the lines of a file that is none.
            linecache.cache[origin] = (len(script.script), None, script.script.splitlines(True), origin)
        else:
            raise TypeError(f"{type(script).__name__} cannot be loaded as it is")
        spec = importlib.util.spec_from_loader(MODULE_NAME, loader=None, origin=origin)
        assert spec is not None, "a name was given"  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        module.__file__ = origin
        sys.modules[MODULE_NAME] = module
        exec(code, module.__dict__)  # noqa: S102  # to run scripts is what all this is for
        return module
