"""Completion without a service."""

import click
import pytest
from pubsub import pub

from ska_oso_oet.cli import admin
from ska_oso_oet.cli.completion import STATES, TOPICS, complete_topics
from ska_oso_oet.event import topics
from ska_oso_oet.model import ControlMode, LoggingLevel, ProcedureState, SimulationMode, TestMode

PARAMETER = click.Option(["--topic"])


def _defined(topic: pub.Topic) -> list[str]:
    below = [name for each in topic.getSubtopics() for name in _defined(each)]
    return below or [topic.getName()]


def test_the_topics_are_those_that_the_oet_defines() -> None:
    roots = [name for name in vars(topics) if not name.startswith("_")]
    manager = pub.getDefaultTopicMgr()
    defined = [
        name for root in roots if (topic := manager.getTopic(root, okIfNone=True)) for name in _defined(topic)
    ]
    assert sorted(TOPICS) == sorted(defined)


def test_the_choices_are_those_of_the_models() -> None:
    assert set(STATES) == set(ProcedureState)
    assert tuple(LoggingLevel) == admin.LEVELS
    assert tuple(ControlMode) == admin.CONTROL_MODES
    assert tuple(SimulationMode) == admin.SIMULATION_MODES
    assert tuple(TestMode) == admin.TEST_MODES


@pytest.mark.parametrize(
    ("incomplete", "completions"),
    [
        ("user.script.", ["user.script.announce", "user.script.progress", "user.script.refused"]),
        ("scan.lifecycle.s", ["scan.lifecycle.start"]),
        ("nothing", []),
    ],
)
def test_topics_are_completed(incomplete: str, completions: list[str]) -> None:
    found = complete_topics(click.Context(click.Command("oet")), PARAMETER, incomplete)
    assert [item.value for item in found] == completions
