"""Scripts, requests to prepare them, and summaries of the procedures that run them."""

from typing import Any, Literal, Self

from pydantic import Field, StrictBool, model_validator

from .base import FunctionArgs, Model, ScriptArgs
from .states import ProcedureState


class GitArgs(Model):
    """Where in git a script is. All three keys are present whenever ``git_args`` is."""

    git_repo: str = Field(
        default="https://gitlab.com/ska-telescope/oso/ska-oso-scripting.git",
        description="URL of the repository",
    )
    git_branch: str | None = Field(default="master", description="branch or tag")
    git_commit: str | None = Field(default=None, description="commit hash, full or short")


ScriptType = Literal["filesystem", "git", "embedded"]


class Script(Model):
    """A script: a file, a file in a git repository, or the text itself."""

    script_type: ScriptType = Field(default="filesystem", description="where the script comes from")
    script_uri: str | None = Field(
        default=None, description="file:///path.py, or git:///path/in/repository.py"
    )
    script: str | None = Field(default=None, description="the Python text of an embedded script")
    git_args: GitArgs | None = Field(
        default=None, description="repository, branch and commit of a git script"
    )
    create_env: StrictBool | None = Field(
        default=None, description="run a git script in the Python environment its repository describes"
    )

    @model_validator(mode="after")
    def _fields_fit_type(self) -> Self:
        if self.script_type == "embedded":
            if self.script is None or self.script_uri is not None:
                raise ValueError("an embedded script gives its text as 'script', and no 'script_uri'")
        elif self.script_uri is None or self.script is not None:
            raise ValueError(f"a {self.script_type} script gives a 'script_uri', and no 'script'")
        if self.script_type != "git" and (self.git_args is not None or self.create_env):
            raise ValueError("'git_args' and 'create_env' belong to a script of type 'git'")
        return self


class ProcedureRequest(Model):
    """Request to prepare a script (``POST /procedures``; the argument of ``Create``)."""

    script: Script
    script_args: ScriptArgs = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _accept_top_level_uri(cls, value: Any) -> Any:
        """Accept the documentation's older form, ``{"script_uri": …}`` without ``script``."""
        if isinstance(value, dict) and "script_uri" in value and "script" not in value:
            uri = value["script_uri"]
            rest = {key: item for key, item in value.items() if key != "script_uri"}
            return {"script": {"script_type": "filesystem", "script_uri": uri}, **rest}
        return value


class History(Model):
    """States that a procedure has passed through, each with its time in seconds since 1970 (UTC)."""

    process_states: list[tuple[ProcedureState, float]] = Field(default_factory=list)
    stacktrace: str | None = Field(default=None, description="why it FAILED, or is UNKNOWN")


class Procedure(Model):
    """Summary of a procedure, as every client sees it."""

    id: int
    uri: str | None = Field(default=None, description="address at the REST service; filled by the sidecar")
    script: Script
    script_args: dict[str, FunctionArgs] = Field(default_factory=dict)
    history: History
    state: ProcedureState
    created: float = Field(description="time of the request, seconds since 1970 (UTC)")
    command_id: str | None = Field(default=None, description="ID of the long-running command that made it")
