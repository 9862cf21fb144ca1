"""Attaching a REST catalog: every value is escaped, and no error shows a secret."""

from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from lakehouse.errors import ConfigurationError, SystemFailureError
from lakehouse.query.attach import attach_statement, attached
from lakehouse.settings import Profile

URI = "http://127.0.0.1:9/o'brien"


def profile_of(profile: Profile, **catalog: Any) -> Profile:
    return profile.model_copy(update={"catalog": {"type": "rest", "uri": URI, **catalog}})


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        ({"token": "to'ken"}, "TOKEN 'to''ken'"),
        ({"credential": "us'er:se'c:ret"}, "CLIENT_ID 'us''er', CLIENT_SECRET 'se''c:ret'"),
        ({"credential": "a:b"}, "OAUTH2_SERVER_URI 'http://127.0.0.1:9/o''brien/v1/oauth/tokens'"),
        ({"credential": "a:b", "oauth2-server-uri": "http://x/'"}, "OAUTH2_SERVER_URI 'http://x/'''"),
        ({"prefix": "ware'house"}, "ATTACH 'ware''house' AS lake"),
        ({}, "ENDPOINT 'http://127.0.0.1:9/o''brien', AUTHORIZATION_TYPE 'none'"),
    ],
)
def test_each_value_is_escaped(catalog: dict[str, str], expected: str) -> None:
    statement = attach_statement({"uri": URI, **catalog})
    assert expected in statement
    assert len(duckdb.extract_statements(statement)) == 1


@pytest.mark.parametrize("catalog", [{"token": "to'ken-of-mine"}, {"credential": "us'er:se'cret-of-mine"}])
def test_a_catalog_that_does_not_answer_is_named_without_its_secrets(profile: Profile, catalog: dict[str, str]) -> None:
    hidden = {name: SecretStr(value) for name, value in catalog.items()}
    with pytest.raises(SystemFailureError, match=rf"attaching the catalog {URI}: DuckDB") as caught:
        attached(profile_of(profile, **hidden))
    assert "of-mine" not in str(caught.value)


def test_a_catalog_that_is_no_rest_catalog_is_refused(profile: Profile) -> None:
    with pytest.raises(ConfigurationError, match="has a catalog of type 'jdbc'; DuckDB attaches REST catalogs only"):
        attached(profile)
