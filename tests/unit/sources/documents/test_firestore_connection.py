"""Which way Google's client is led, how it is closed, and what its errors mean to a run."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.auth.exceptions import RefreshError

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.documents import firestore_connection
from lakehouse.sources.documents.firestore_connection import opened, translated
from lakehouse.sources.documents.settings import Settings
from scripts.services.process import free_ports
from scripts.services.settings import HOST


def settings(**more: Any) -> Settings:
    return Settings.model_validate({"type": "documents", "client": "firestore", "project": "p", **more})


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ServiceUnavailable("away"),
        exceptions.DeadlineExceeded("slow"),
        exceptions.ResourceExhausted("quota"),
        exceptions.Aborted("contention"),
        exceptions.RetryError("long", None),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_tried_again_and_told_by_its_name(error: Exception) -> None:
    with pytest.raises(SourceUnavailableError) as caught, translated(settings(), "reading orders"):
        raise error
    assert f"'p' does not answer: {type(error).__name__}: " in str(caught.value)
    assert str(caught.value).startswith("reading orders: Firestore's database '(default)' of project")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (exceptions.PermissionDenied("no"), "refuses who comes: 403 no. Give the service account the role Cloud"),
        (exceptions.Unauthenticated("who"), "refuses who comes: 401 who."),
        (RefreshError("expired"), "refuses who comes: expired."),
        (exceptions.NotFound("no database"), "is not there: 404 no database. Check `project` and `database`"),
        (exceptions.MethodNotImplemented("x"), "does not know what it is asked: 501 x."),
        (exceptions.Unknown("Method not implemented."), "does not know what it is asked"),
        (exceptions.FailedPrecondition("needs an index"), "refused the request: FailedPrecondition: 400 needs an index."),
    ],
    ids=lambda it: type(it).__name__,
)  # fmt: skip
def test_a_refusal_is_for_a_person_to_mend(error: Exception, told: str) -> None:
    with pytest.raises(SourceError) as caught, translated(settings()):
        raise error
    assert not caught.value.retryable
    assert told in str(caught.value)


def test_what_is_no_error_of_the_client_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), translated(settings()):
        raise ZeroDivisionError


def test_no_variable_of_the_environment_leads_to_another_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A service account's key is asked for, though the variable names an emulator that would ask for none."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    absent = tmp_path / "absent.json"
    with (
        pytest.raises(SourceError, match=f"FileNotFoundError; expected the key of a service account in {absent}"),
        opened(settings(credentials_file=str(absent))),
    ):
        pass
    assert firestore_connection._client(settings(emulator="h:2"), "")._target == "h:2"
    monkeypatch.setattr("google.auth.default", lambda scopes: (object(), None) if scopes else None)
    monkeypatch.setattr("google.cloud.client.Client.__init__", lambda *_, **__: None)
    assert firestore_connection._client(settings(), "")._target == "firestore.googleapis.com"


def test_who_is_away_is_told_and_leaves_no_channel_open(monkeypatch: pytest.MonkeyPatch) -> None:
    channels: list[grpc.Channel] = []
    genuine = grpc.insecure_channel

    def channel(*arguments: Any, **options: Any) -> grpc.Channel:
        channels.append(genuine(*arguments, **options))
        return channels[-1]

    monkeypatch.setattr("grpc.insecure_channel", channel)
    (port,) = free_ports(HOST, 1)
    away = settings(emulator=f"{HOST}:{port}", connect_timeout_s=0.5)
    with pytest.raises(SourceUnavailableError, match="does not answer: ServiceUnavailable"), opened(away, "reading"):
        pass
    (found,) = channels
    with pytest.raises(ValueError, match="closed channel"):
        found.unary_unary("/x")(b"")
