"""How a document database is reached, as a profile says it."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.sources.documents.settings import Settings

SMALLEST: dict[str, Any] = {"type": "documents", "hosts": ["h1", "h2:27018"], "database": "app"}


def test_what_is_not_said_has_a_default_and_messages_say_where_it_is() -> None:
    found = Settings.model_validate(SMALLEST)
    assert (found.client, found.port, found.read_concern, found.user, found.tls) == (
        "mongodb", 27017, "majority", None, False)  # fmt: skip
    assert found.where == "document database 'app' at h1:27017, h2:27018"
    by_uri = Settings.model_validate({"type": "documents", "uri": "mongodb+srv://c.example.net", "database": "app"})
    assert by_uri.where == "document database 'app' at mongodb+srv://c.example.net"


def test_settings_show_no_password() -> None:
    assert "secret-word" not in repr(Settings.model_validate(SMALLEST | {"user": "u", "password": "secret-word"}))


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ({"type": "mongodb"}, "type"),
        ({"client": "firestore"}, "client"),
        ({"read_concern": "most"}, "read_concern"),
        ({"batch_size": 0}, "batch_size"),
        ({"parallelism": 0}, "parallelism"),
        ({"port": 0}, "port"),
        ({"connect_timeout_s": 0}, "connect_timeout_s"),
        ({"database": ""}, "database"),
        ({"collection": "c"}, "collection"),
        ({"database": None}, "database"),
        ({"hosts": []}, "expected either `hosts` or `uri`"),
        ({"uri": "mongodb://h"}, "expected either `hosts` or `uri`"),
        ({"hosts": [], "uri": "mongodb://u:p@h"}, "holds a user or a password"),
    ],
    ids=str,
)
def test_what_is_no_such_source_is_refused(says: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings.model_validate(SMALLEST | says)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"client": "firestore"}, "expected `project`"),
        ({"client": "firestore", "project": "p", "hosts": ["h"]}, "`hosts`: not known of `client: firestore`"),
        ({"client": "firestore", "project": "p", "tls": True, "password": "p"}, "`password`, `tls`: not known of"),
        ({"hosts": ["h"], "project": "p", "emulator": "h:1"}, "`project`, `emulator`: not known of `client: mongodb`"),
    ],
)
def test_what_goes_with_the_other_client_is_refused(more: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings.model_validate({"type": "documents", "database": "app", **more})


def test_a_database_of_firestore_is_told_by_its_project() -> None:
    found = Settings.model_validate({"type": "documents", "client": "firestore", "project": "p"})
    assert found.where == "Firestore's database '(default)' of project 'p'"


def test_of_mongodb_the_database_is_told() -> None:
    with pytest.raises(ValidationError, match="expected `database`"):
        Settings.model_validate({"type": "documents", "hosts": ["h"]})
