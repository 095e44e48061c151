"""Base classes of models, and the arguments of a script's functions."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema


class Model(BaseModel):
    """Base of all models: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PositionalModel(Model):
    """Base of models whose first fields may also be given by position."""

    positional: ClassVar[tuple[str, ...]]
    """Names of these fields, in order."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: Any, **fields: Any) -> None:
            if len(args) > len(self.positional):
                raise TypeError(
                    f"{type(self).__name__} takes at most {len(self.positional)} positional arguments"
                )
            super().__init__(**dict(zip(self.positional, args, strict=False)), **fields)

        # Validation of JSON need not go through it.
        __init__.__pydantic_base_init__ = True


@dataclass
class FunctionArgs:
    """Arguments of one call of one function of a script, in their JSON form."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    args: Annotated[list[Any], Field(description="positional arguments")] = field(default_factory=list)
    kwargs: Annotated[dict[str, Any], Field(description="arguments by name")] = field(default_factory=dict)


class ProcedureInput:
    """Arguments of one call of a script's function.

    Any name may be used for a keyword argument, ``self`` included. In JSON it is
    ``{"args": [...], "kwargs": {...}}``.
    """

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        parts = [repr(argument) for argument in self.args]
        parts += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"<ProcedureInput({', '.join(parts)})>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProcedureInput):
            return NotImplemented
        return self.args == other.args and self.kwargs == other.kwargs

    __hash__ = None  # type: ignore[assignment]  # arguments may be of any kind

    def to_json(self) -> dict[str, Any]:
        """Return the arguments in their JSON form."""
        return {"args": list(self.args), "kwargs": self.kwargs}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        json_form = handler(FunctionArgs)

        def validate(value: Any, validate_json: ValidatorFunctionWrapHandler) -> "ProcedureInput":
            if isinstance(value, cls):
                return value
            read = validate_json(value)
            return cls(*read.args, **read.kwargs)

        return core_schema.no_info_wrap_validator_function(
            validate,
            json_form,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda given: FunctionArgs(list(given.args), given.kwargs), return_schema=json_form
            ),
        )


FunctionName = Literal["init", "main"]


def _main_for_run(value: Any) -> Any:
    """Accept ``run`` for ``main``: the documentation of the OET 5.2.0 uses both.

    :raises ValueError: if both names are given
    """
    if not isinstance(value, dict) or "run" not in value:
        return value
    if "main" in value:
        raise ValueError("give arguments of 'main' or of its synonym 'run', not of both")
    return {"main" if name == "run" else name: arguments for name, arguments in value.items()}


ScriptArgs = Annotated[dict[FunctionName, ProcedureInput], BeforeValidator(_main_for_run)]
"""Arguments of a script's functions, by the name of the function."""

USER_HEADER = "X-OET-User"
"""HTTP header by which a client of the REST service says who it is, e.g. ``anna@control-room``."""
