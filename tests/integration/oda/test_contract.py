"""Behaviour of all sources of Scheduling Blocks."""

from typing import Any

import pytest
from tests.support.oda_homes import Home, SearchableHome

from ska_oso_oet.oda import (
    InvalidIdentifierError,
    InvalidSchedulingBlockError,
    ListingNotSupportedError,
    OdaUnavailableError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
)


def definition(version: int = 1, **more: Any) -> dict[str, Any]:
    return {"sbd_id": "sbd-123", "metadata": {"version": version}, "activities": {}, **more}


def test_the_newest_version_by_default(home: Home) -> None:
    for version in (2, 10, 9):
        home.put("sbd-123", version, definition(version))
    assert home.oda.get_sbdefinition("sbd-123").version == 10


def test_a_version(home: Home) -> None:
    for version in (1, 2):
        home.put("sbd-123", version, definition(version, mark=f"version {version}"))
    found = home.oda.get_sbdefinition("sbd-123", 1)
    assert found.document["mark"] == "version 1"


def test_what_the_oet_knows_nothing_of_is_kept(home: Home) -> None:
    document = definition(
        targets=[{"target_id": "M83", "name": "südlich ✓", "tolerance": 0.5, "none": None}],
        document={"a key": "of that name"},
    )
    home.put("sbd-123", 1, document)
    assert home.oda.get_sbdefinition("sbd-123").document == document


def test_an_unknown_scheduling_block(home: Home) -> None:
    home.put("sbd-123", 1, definition())
    for version in (None, 1):
        with pytest.raises(UnknownSchedulingBlockError, match=r"'sbd-124'.*check its ID"):
            home.oda.get_sbdefinition("sbd-124", version)


def test_an_unknown_version_is_answered_with_those_that_are(home: Home) -> None:
    home.put("sbd-123", 3, definition(3))
    with pytest.raises(UnknownVersionError, match=r"no version 7 of Scheduling Block 'sbd-123'.* 3$"):
        home.oda.get_sbdefinition("sbd-123", 7)


@pytest.mark.parametrize(
    "sbd_id",
    [
        "",
        ".",
        "..",
        "../sbd-123",
        "a/b",
        "a\\b",
        "-rf",
        "sbd-123\n",
        "a b",
        "x' OR '1'='1",
        "a%2fb",
        "ä",
        "a" * 129,
    ],
)
def test_an_id_that_could_mean_something_else(home: Home, sbd_id: str) -> None:
    # Also where nothing answers: it does not get that far.
    with pytest.raises(InvalidIdentifierError, match=r"sbd_id .* is malformed"):
        home.away.get_sbdefinition(sbd_id)


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, 2**31])
def test_a_version_that_is_none(home: Home, version: Any) -> None:
    with pytest.raises(InvalidIdentifierError, match=r"version .* is malformed"):
        home.away.get_sbdefinition("sbd-123", version)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "not a JSON object"),
        ({"activities": {}}, "sbd_id: this field is missing"),
        (
            definition(sbd_id="sbd-other"),
            "should contain Scheduling Block 'sbd-123', but contains 'sbd-other'",
        ),
        (definition(sbd_id="../../etc/passwd"), "sbd_id"),
        (definition(metadata={"version": "new"}), r"metadata\.version"),
        (definition(activities=["allocate"]), "activities"),
    ],
)
def test_what_is_no_scheduling_block(home: Home, document: Any, reason: str) -> None:
    home.put("sbd-123", 1, document)
    with pytest.raises(InvalidSchedulingBlockError, match=reason):
        home.oda.get_sbdefinition("sbd-123")


def test_nobody_answers(home: Home) -> None:
    with pytest.raises(OdaUnavailableError, match=r"; (check|create)"):
        home.away.get_sbdefinition("sbd-123")


def test_those_that_changed_last_are_found_first(searchable_home: SearchableHome) -> None:
    home = searchable_home
    home.put("sbd-old", 1, {"sbd_id": "sbd-old", "activities": {"observe": {}, "allocate": {}}})
    home.put("sbd-changed", 1, {"sbd_id": "sbd-changed", "activities": {"former": {}}})
    home.put("other-1", 9, {"sbd_id": "other-1"})
    for version in (10, 9):
        home.put("sbd-changed", version, {"sbd_id": "sbd-changed", "activities": {f"of {version}": {}}})
    home.change("sbd-changed", 10, 3000.0)
    home.change("other-1", 9, 2000.5)
    home.change("sbd-old", 1, 1000.0)
    found = home.oda.find_sbdefinitions("", 10)
    assert [(each.sbd_id, each.version, each.changed, each.activities) for each in found] == [
        ("sbd-changed", 10, 3000.0, ["of 10"]),
        ("other-1", 9, 2000.5, []),
        ("sbd-old", 1, 1000.0, ["allocate", "observe"]),
    ]
    assert [each.sbd_id for each in home.oda.find_sbdefinitions("", 2)] == ["sbd-changed", "other-1"]
    assert [each.sbd_id for each in home.oda.find_sbdefinitions("D-O", 10)] == ["sbd-old"]
    assert home.oda.find_sbdefinitions("d_o", 10) == []


def test_a_defective_one_does_not_hide_the_others(searchable_home: SearchableHome) -> None:
    home = searchable_home
    home.put("sbd-123", 1, definition(activities={"allocate": {}, "ä": None}))
    home.put("sbd-list", 1, [])
    home.put("sbd-else", 1, definition())
    home.put("not an id", 1, {"sbd_id": "not an id"})
    found = {each.sbd_id: each for each in home.oda.find_sbdefinitions("", 10)}
    assert found.keys() == {"sbd-123", "sbd-list", "sbd-else"}
    assert (found["sbd-123"].activities, found["sbd-123"].defect) == (["allocate", "ä"], None)
    assert "correct it there" in str(found["sbd-list"].defect)
    assert "contains 'sbd-123'" in str(found["sbd-else"].defect)


def test_an_empty_home_has_none(searchable_home: SearchableHome) -> None:
    assert searchable_home.oda.find_sbdefinitions("", 10) == []


def test_a_search_where_nobody_answers(searchable_home: SearchableHome) -> None:
    with pytest.raises(OdaUnavailableError, match=r"; (check|create)"):
        searchable_home.away.find_sbdefinitions("", 10)


def test_the_rest_service_cannot_be_searched(rest_home: Home) -> None:
    with pytest.raises(ListingNotSupportedError, match="ODA_BACKEND_TYPE=postgres"):
        rest_home.oda.find_sbdefinitions("", 10)
