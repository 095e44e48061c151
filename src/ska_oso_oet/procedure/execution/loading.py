"""Loading of scripts: preparation, then loading by the worker. Belongs to the message loop."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ska_oso_oet.model import ProcedureState

from ..domain.settings import ExecutorSettings
from ..preparation.prepared import Preparation
from ..preparation.service import PreparationService
from ..worker.messages import ToWorker
from .observer import ProcedureObserver
from .procedure import Hold, PreparationReporter, Procedure


class ScriptLoading:
    """Prepares files and packages of scripts, then lets their workers load them.

    :param settings: how scripts are executed
    :param preparations: prepares files and environments
    :param observer: called with all changes
    :param on_load: called when a worker has been asked to load its script, or one that was held is released
    :param give_up: called with a procedure whose script cannot be loaded, and the reason
    :param context: returns the context of all scripts
    """

    def __init__(
        self,
        settings: ExecutorSettings,
        preparations: PreparationService,
        observer: ProcedureObserver,
        on_load: Callable[[Procedure], None],
        give_up: Callable[[Procedure, str], None],
        context: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._settings = settings
        self._preparations = preparations
        self._observer = observer
        self._on_load = on_load
        self._give_up = give_up
        self._context = context

    def begin(self, procedure: Procedure) -> None:
        """Begin to load the script of a procedure that has a worker."""
        if procedure.plan.needs_preparation:
            self._prepare(procedure)
        else:
            self._load(procedure)

    def resume(self, procedure: Procedure) -> None:
        """Load a script that was prepared, now that its worker runs under the right interpreter."""
        procedure.move(ProcedureState.IDLE)
        self._load(procedure)

    def _prepare(self, procedure: Procedure) -> None:
        """Begin to prepare the files and packages of a script."""
        procedure.move(ProcedureState.PREP_ENV)
        reporter = PreparationReporter(procedure, self._observer)
        plan = procedure.plan
        procedure.preparation = self._preparations.begin(plan.script, plan.header, reporter)
        procedure.preparation.add_done_callback(lambda done: self._on_prepared(procedure, done))

    def _on_prepared(self, procedure: Procedure, preparation: Preparation) -> None:
        if procedure.state.is_final or procedure.stopped is not None:
            return
        try:
            prepared = preparation.result()
        except Exception as error:  # after any exception, the procedure must not remain in its state
            self._give_up(procedure, str(error))
            return
        if prepared.commit is not None:
            procedure.plan = procedure.plan._replace(path=prepared.path)
            self._observer.noted(procedure.id, {"commit": prepared.commit})
        if prepared.python is None:
            self.resume(procedure)
        else:
            # The worker is IDLE again when it runs there.
            procedure.send(ToWorker.ENVIRONMENT, {"python": str(prepared.python)})

    def release(self, procedure: Procedure) -> None:
        """Release a procedure that is held: it may be called, and its ``init`` is called soon."""
        hold, procedure.plan = procedure.plan.hold, procedure.plan._replace(hold=Hold.NOTHING)
        if hold is Hold.INIT and procedure.loading_began:
            if procedure.init_timer is None:
                # The time that it waits does not count: init has all of the limit.
                self._limit_time(procedure)
            self._on_load(procedure)

    def _limit_time(self, procedure: Procedure) -> None:
        if self._settings.init_timeout > 0:
            procedure.init_timer = asyncio.get_running_loop().call_later(
                self._settings.init_timeout, self._on_init_timeout, procedure
            )

    def _load(self, procedure: Procedure) -> None:
        settings = self._settings
        self._limit_time(procedure)
        procedure.loading_began = True
        limits = settings.script_size_limit, settings.stop_grace_period
        procedure.load(settings.environment, *limits, self._context())
        self._on_load(procedure)

    def _on_init_timeout(self, procedure: Procedure) -> None:
        reason = (
            f"Loading the script and its init() took longer than {self._settings.init_timeout:g} s "
            "(property InitTimeout). The script's process was ended."
        )
        if procedure.stopped is None:
            self._give_up(procedure, reason)
