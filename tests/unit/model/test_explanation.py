"""Explanations of validation errors, in one plain line."""

import pytest
from pydantic import ValidationError

from ska_oso_oet.model import Model, ProcedureRequest, ScriptArgs, StopRequest, explain


@pytest.mark.parametrize(
    ("model", "value", "sentence"),
    [
        (StopRequest, {"abort": "yes"}, "abort: Input should be a valid boolean"),
        (StopRequest, {"force": 1}, "force: there is no such field, check its spelling"),
        (StopRequest, [], "a JSON object was expected"),
        (ProcedureRequest, {}, "script: this field is missing"),
        (
            ProcedureRequest,
            {"script": {"script_type": "embedded"}},
            "script: an embedded script gives its text as 'script', and no 'script_uri'",
        ),
        (
            ProcedureRequest,
            {"script": {"script_uri": "file:///a.py"}, "script_args": {"fly": {}}},
            "script_args.fly: Input should be 'init' or 'main'",
        ),
        (
            StopRequest,
            {"pid": "two", "force": 1},
            "pid: Input should be a valid integer; force: there is no such field, check its spelling",
        ),
    ],
)
def test_each_fault_is_named_with_its_field(model: type[Model], value: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(value)
    assert explain(raised.value) == sentence


def test_values_are_not_repeated() -> None:
    class Args(Model):
        script_args: ScriptArgs

    with pytest.raises(ValidationError) as raised:
        Args.model_validate({"script_args": "the password"})
    assert explain(raised.value) == "script_args: a JSON object was expected"
