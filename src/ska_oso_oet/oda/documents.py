"""SBDefinitions and SBInstances, as far as the OET needs to understand them.

Sources: ska-oso-pdm (the JSON of Scheduling Blocks), ska-db-oda (how it is stored).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Self
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ska_oso_oet.model import ProcedureInput, ScriptArgs, explain

from .errors import InvalidActivityError, InvalidSchedulingBlockError, UnknownActivityError
from .identifiers import MAX_VERSION, checked_id

MAX_SIZE = 10_000_000
"""Bytes that a Scheduling Block may have."""


class ScriptKind(StrEnum):
    """Kind of the place of an activity's script."""

    FILESYSTEM = "filesystem"
    GIT = "git"

    @property
    def scheme(self) -> str:
        """Beginning of the paths of such scripts."""
        return "git://" if self is ScriptKind.GIT else "file://"


class SBActivity(BaseModel):
    """An activity of a Scheduling Block: a script, and arguments for its functions."""

    model_config = ConfigDict(frozen=True)

    kind: ScriptKind
    path: str = Field(description="file:///path.py, or git:///path/in/repository.py")
    repo: str | None = Field(default=None, description="URL of the git repository; without it, the usual one")
    branch: str | None = Field(default=None, description="git branch or tag")
    commit: str | None = Field(default=None, description="git commit hash, full or short")
    function_args: ScriptArgs = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _take_null_as_not_given(cls, value: Any) -> Any:
        # Down to args and kwargs; in these, null is a value.
        return _without_nulls(value, depth=3)

    @model_validator(mode="after")
    def _path_fits_kind(self) -> Self:
        if not self.path.startswith(self.kind.scheme):
            raise ValueError(f"the path of a {self.kind} script begins with '{self.kind.scheme}'")
        return self


class _Metadata(BaseModel):
    version: int | None = Field(default=None, ge=1, le=MAX_VERSION)


class SBDefinition(BaseModel):
    """A Scheduling Block.

    The OET interprets only the fields that it needs; `document` is the whole, unchanged.
    """

    model_config = ConfigDict(frozen=True)

    sbd_id: Annotated[str, AfterValidator(partial(checked_id, "sbd_id"))]
    metadata: _Metadata = Field(default_factory=_Metadata)
    activities: dict[str, Any] = Field(default_factory=dict, description="not interpreted yet")
    document: dict[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _keep_document(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("it is not a JSON object")
        return {**_without_nulls(value, depth=1), "document": value}

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Self:
        """Read a Scheduling Block.

        :param text: its JSON
        :param source: where it came from, for messages
        :raises InvalidSchedulingBlockError: if it is not JSON, or not a Scheduling Block
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidSchedulingBlockError(
                f"{source} is not valid JSON: {error}; correct it there"
            ) from None
        return cls.from_document(document, source)

    @classmethod
    def from_document(cls, document: Any, source: str) -> Self:
        """Read a Scheduling Block whose JSON has been decoded.

        :param document: what was decoded
        :param source: where it came from, for messages
        :raises InvalidSchedulingBlockError: if it is not a Scheduling Block
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise InvalidSchedulingBlockError(
                f"{source} is not a Scheduling Block: {explain(error)}; correct it there"
            ) from None

    @property
    def version(self) -> int | None:
        """Its version; None if it has none."""
        return self.metadata.version

    def to_json(self) -> str:
        """Return the JSON of the whole document, including keys that the OET does not know."""
        return json.dumps(self.document, indent=2, ensure_ascii=False)

    def activity(self, name: str) -> SBActivity:
        """Return an activity.

        :param name: its name
        :raises UnknownActivityError: if there is none of this name; the message lists the existing ones
        :raises InvalidActivityError: if its description is defective
        """
        if name not in self.activities:
            known = ", ".join(sorted(self.activities))
            raise UnknownActivityError(
                f"Scheduling Block {self.sbd_id} has no activity '{name}'; "
                + (f"it has: {known}" if known else "it has no activities at all: add one to it")
            )
        try:
            return SBActivity.model_validate(self.activities[name])
        except ValidationError as error:
            raise InvalidActivityError(
                f"activity '{name}' of Scheduling Block {self.sbd_id} is defective: {explain(error)}; "
                "correct it in the Scheduling Block"
            ) from None


class RuntimeArgs(BaseModel):
    """Arguments that a function of a script was called with."""

    function_name: str
    function_args: dict[str, Any]


class ActivityInstance(BaseModel):
    """Record of the execution of an activity."""

    activity_ref: str = Field(description="name of the activity")
    executed_at: datetime
    runtime_args: list[RuntimeArgs] = Field(default_factory=list)


class SBInstance(BaseModel):
    """Record of the execution of a Scheduling Block."""

    sbi_id: str = Field(default_factory=lambda: f"sbi-{uuid4()}")
    sbd_id: str
    sbd_version: int | None = None
    telescope: str | None = None
    activities: list[ActivityInstance] = Field(default_factory=list)

    @classmethod
    def of_activity(
        cls, definition: SBDefinition, name: str, arguments: Mapping[str, ProcedureInput]
    ) -> Self:
        """Return the record that an activity is executed now.

        :param definition: its Scheduling Block
        :param name: name of the activity
        :param arguments: arguments of the functions of its script
        """
        runtime_args = [
            RuntimeArgs(function_name=function, function_args=given.to_json())
            for function, given in arguments.items()
        ]
        activity = ActivityInstance(
            activity_ref=name, executed_at=datetime.now(UTC), runtime_args=runtime_args
        )
        return cls(
            sbd_id=definition.sbd_id,
            sbd_version=definition.version,
            telescope=definition.document.get("telescope"),
            activities=[activity],
        )


def _without_nulls(value: Any, depth: int) -> Any:
    """Return JSON without members that are null: many programs write missing values so.

    :param value: the JSON
    :param depth: how many objects, each within another, to look through
    """
    if depth == 0 or not isinstance(value, dict):
        return value
    return {key: _without_nulls(item, depth - 1) for key, item in value.items() if item is not None}
