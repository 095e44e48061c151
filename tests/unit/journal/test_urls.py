"""URLs of PostgreSQL that cannot be read: no part of the password is shown."""

import pytest

from ska_oso_oet.journal.postgres import PostgresBackend


@pytest.mark.parametrize(
    "url", ["postgresql://oet:half@secret@host/db", "postgresql://oet:5432:secret/db", "postgresql:secret"]
)
def test_refusal_of_a_url_does_not_show_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="percent-encode") as refused:
        PostgresBackend(url, "oet")
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
