"""``/scripts``: the scripts that can be run."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from ska_oso_oet.model import Model, ProcedureRequest, Script, ScriptDescription, explain

from .errors import responses
from .json_route import JsonRoute
from .service import ControllerDependency
from .settings import API

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Scripts"])


_TIMEOUT = 120.0
"""Seconds that fetching and reading a script may take."""


class ScriptBody(Model):
    """A script to describe."""

    script: Script


class ScriptList(BaseModel):
    """The scripts that can be run."""

    scripts: list[str] = Field(description="their URIs, as `script_uri` takes them")


@router.get("/scripts", responses=responses(403, 500, 503, 504), summary="List the scripts that can be run")
async def list_scripts(controller: ControllerDependency) -> ScriptList:
    """Return the URIs of the scripts below the script roots of the controller."""
    return ScriptList(scripts=await controller.scripts())


@router.get(
    "/scripts/describe",
    responses=responses(400, 403, 409, 500, 503, 504),
    summary="Describe a script",
)
async def describe_script(
    controller: ControllerDependency,
    uri: Annotated[str, Query(description="URI of the script", examples=["file://hello_world.py"])],
    git_repo: Annotated[str | None, Query(description="repository of a script in git")] = None,
    git_branch: Annotated[str | None, Query(description="its branch or tag; without it, the default")] = None,
    git_commit: Annotated[str | None, Query(description="its commit; without it, the newest")] = None,
) -> ScriptDescription:
    """Return the docstrings of a script, and a JSON Schema of the parameters of its functions.

    The script is read, but not run. One in git is fetched, and a long one is read by a process of its own:
    that may take long.
    """
    git_args = {"git_repo": git_repo, "git_branch": git_branch, "git_commit": git_commit}
    given = {name: value for name, value in git_args.items() if value is not None}
    script_type = "git" if uri.startswith("git://") else "filesystem"
    fields: dict[str, Any] = {"script_type": script_type, "script_uri": uri}
    if given:
        fields["git_args"] = given
    try:
        body = ProcedureRequest.model_validate({"script": fields})
    except ValidationError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, explain(error)) from None
    return await controller.describe_script(body.script, _TIMEOUT)


@router.post(
    "/scripts/describe",
    responses=responses(400, 403, 408, 409, 413, 415, 500, 503, 504),
    summary="Describe any script",
)
async def describe_any_script(body: ScriptBody, controller: ControllerDependency) -> ScriptDescription:
    """Describe a script of any kind, also one that is given as its text."""
    return await controller.describe_script(body.script, _TIMEOUT)
