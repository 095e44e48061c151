"""Entry point of a worker under the interpreter of an environment. See `interpreter`.

Executed as a file, with one argument, JSON text: ``{"package", "paths"}`` and, where there is something to
do, ``"inheritance"`` of a worker, or ``"program"`` and its ``"words"``, see `interpreter.go_on`. Up to the
point where the worker is imported, only the standard library may be used here.
"""

import importlib
import importlib.util
import json
import os
import sys
import traceback
from typing import Any


def add_server(package: str, paths: list[str]) -> None:
    """Make the packages of the server available after those of the environment; but this package first.

    :param package: folder of the package ska_oso_oet
    :param paths: the server's ``sys.path``
    """
    sys.path.extend(path for path in paths if path not in sys.path)
    # The environment may have another OET among its packages: a worker must be the one of its server.
    spec = importlib.util.spec_from_file_location(
        "ska_oso_oet", os.path.join(package, "__init__.py"), submodule_search_locations=[package]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"the package in {package} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules["ska_oso_oet"] = module
    spec.loader.exec_module(module)


def main() -> None:
    """Continue as a worker, or run a program; without a task, only check whether that is possible."""
    settings = json.loads(sys.argv.pop())
    inheritance = settings.get("inheritance")
    try:
        add_server(settings["package"], settings["paths"])
        from ska_oso_oet.procedure.worker.interpreter import Inheritance
        from ska_oso_oet.procedure.worker.script_worker import ScriptWorker
    except Exception:
        if inheritance is None:
            raise
        _report(inheritance, traceback.format_exc())
        raise SystemExit(1) from None
    if inheritance is not None:
        sys.exit(ScriptWorker.resume(Inheritance(**inheritance)).run())
    if "program" in settings:
        sys.exit(importlib.import_module(settings["program"]).run(settings["words"]))


def _report(inheritance: dict[str, Any], trace: str) -> None:
    """Report to the manager, without using any package, that no worker can run here."""
    reason = f"The environment of the script cannot be used; it is built again the next time.\n{trace}"
    message = [inheritance["name"], "LIFECYCLE", {"state": "FAILED", "stacktrace": reason}]
    os.set_blocking(inheritance["outbox"], True)
    os.write(inheritance["outbox"], json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
