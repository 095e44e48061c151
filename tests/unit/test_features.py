"""Feature flags: precedence of sources, and invalid flags."""

from pathlib import Path

import pytest

from ska_oso_oet.features import Features, features_of_this_site


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "ska_oso_oet.ini"
    path.write_text("[ska_oso_oet]\nnew_thing = Yes\nold_thing = off\nodd_thing = perhaps %s\n")
    return path


def test_the_default_holds_where_nothing_is_set(ini: Path) -> None:
    for features in (Features.create_from_config_files(), Features.create_from_config_files(ini)):
        assert features.is_enabled("other_thing", default=True)
        assert not features.is_enabled("other_thing", default=False)


def test_a_file_outranks_the_default(ini: Path) -> None:
    features = Features.create_from_config_files(ini)
    assert features.is_enabled("new_thing", default=False)
    assert not features.is_enabled("old_thing", default=True)


def test_the_environment_outranks_the_file(ini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OET_NEW_THING", "0")
    monkeypatch.setenv("OET_OLD_THING", "TRUE")
    features = Features.create_from_config_files(ini)
    assert not features.is_enabled("new_thing", default=True)
    assert features.is_enabled("old_thing", default=False)


def test_a_later_file_outranks_an_earlier_one_and_a_missing_one_is_empty(ini: Path, tmp_path: Path) -> None:
    later = tmp_path / "site.ini"
    later.write_text("[ska_oso_oet]\nnew_thing = false\n")
    features = Features.create_from_config_files(tmp_path / "missing.ini", ini, later)
    assert not features.is_enabled("new_thing", default=True)
    assert not features.is_enabled("old_thing", default=True)


def test_a_value_that_is_no_flag_is_refused_with_its_place(
    ini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = Features.create_from_config_files(ini)
    with pytest.raises(ValueError, match=r"option 'odd_thing' in section \[ska_oso_oet\] is 'perhaps %s'"):
        features.is_enabled("odd_thing", default=False)
    monkeypatch.setenv("OET_ODD_THING", "")
    with pytest.raises(ValueError, match="environment variable OET_ODD_THING is ''"):
        features.is_enabled("odd_thing", default=False)


def test_the_file_in_the_home_folder_outranks_that_of_the_installation(
    ini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr("sys.prefix", str(ini.parent))
    monkeypatch.setenv("HOME", str(home))
    assert features_of_this_site().is_enabled("new_thing", default=False)
    (home / ini.name).write_text("[ska_oso_oet]\nnew_thing = no\n")
    assert not features_of_this_site().is_enabled("new_thing", default=True)
    (home / ini.name).write_text("new_thing = no\n")
    with pytest.raises(ValueError, match=r"feature flags cannot be read: .*ska_oso_oet\.ini"):
        features_of_this_site()
