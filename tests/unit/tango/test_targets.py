"""Attributes and commands as values."""

from ska_oso_oet.tango import Attribute, Command


def test_names_are_compared_as_tango_does() -> None:
    assert Attribute("a/b/c", "obsState") == Attribute("A/B/C", "obsstate")
    assert len({Attribute("a/b/c", "obsState"), Attribute("A/B/C", "ObsState")}) == 1
    assert Attribute("a/b/c", "obsState") != Attribute("a/b/d", "obsState")
    assert Command("a/b/c", "Scan", 1) == Command("A/B/C", "scan", 1)
    assert Command("a/b/c", "Scan", 1) != Command("a/b/c", "Scan", 2)


def test_they_show_what_they_are() -> None:
    assert repr(Attribute("a/b/c", "obsState")) == "Attribute('a/b/c', 'obsState')"
    assert repr(Command("a/b/c", "Scan", 1, timeout=2)) == "Command('a/b/c', 'Scan', 1, timeout=2)"
