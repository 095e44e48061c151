"""Names of the devices of a telescope."""

import pytest

from ska_oso_oet.tango import central_node_fqdn, subarray_fqdn_prefix


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SKA_TELESCOPE", "SUBARRAYNODE_FQDN_PREFIX", "CENTRALNODE_FQDN"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("telescope", "domain"),
    [(None, "ska_mid"), ("", "ska_mid"), ("skamid", "ska_mid"), ("skalow", "ska_low"), ("SKALow", "ska_low")],
)
def test_names_follow_the_telescope(
    monkeypatch: pytest.MonkeyPatch, telescope: str | None, domain: str
) -> None:
    if telescope is not None:
        monkeypatch.setenv("SKA_TELESCOPE", telescope)
    assert subarray_fqdn_prefix() == f"{domain}/tm_subarray_node"
    assert central_node_fqdn() == f"{domain}/tm_central/central_node"


def test_a_deployment_may_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBARRAYNODE_FQDN_PREFIX", "mid-tmc/subarray/")
    monkeypatch.setenv("CENTRALNODE_FQDN", "mid-tmc/central-node/0")
    assert subarray_fqdn_prefix() == "mid-tmc/subarray"
    assert central_node_fqdn() == "mid-tmc/central-node/0"


def test_an_unknown_telescope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_TELESCOPE", "meerkat")
    with pytest.raises(ValueError, match="'meerkat'; set it to 'skamid' or 'skalow'"):
        subarray_fqdn_prefix()
