"""What all models have in common."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Model(BaseModel):
    """Base of all models: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FunctionArgs(Model):
    """Arguments of one call of one function of a script."""

    args: list[Any] = Field(default_factory=list, description="positional arguments")
    kwargs: dict[str, Any] = Field(default_factory=dict, description="arguments by name")


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


ScriptArgs = Annotated[dict[FunctionName, FunctionArgs], BeforeValidator(_main_for_run)]
"""Arguments of a script's functions, by the name of the function."""
