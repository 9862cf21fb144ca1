"""Connections with Cloud Firestore, and what the errors of Google's client mean."""

from collections.abc import Iterator
from contextlib import contextmanager

import google.auth
from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore import Client
from google.oauth2 import service_account

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.documents.settings import Settings

#: What may pass when it is tried again.
_PASSING = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.RetryError,
)
#: What a long answer may break off with; it is gone on with behind the last document that came.
_BROKEN_OFF = if_exception_type(
    exceptions.DeadlineExceeded, exceptions.InternalServerError, exceptions.ServiceUnavailable
)


@contextmanager
def opened(source: Settings, doing: str = "") -> Iterator[Client]:
    """A client that has reached Firestore, closed at the end.

    Raises:
        SourceUnavailableError: no answer within ``connect_timeout_s``.
        SourceError: no credentials, or Firestore refused them.
    """
    client = _client(source, doing)
    try:
        with translated(source, doing):
            _reach(client, source)
        yield client
    finally:
        client._firestore_api.transport.close()  # what it has of its own to close leaves the channel open
        client.close()


def patience(source: Settings) -> Retry:
    """How long Google's client tries again: its own five minutes would be waited for in silence."""
    return Retry(_BROKEN_OFF, initial=0.1, maximum=2.0, multiplier=1.5, timeout=source.connect_timeout_s)


def _client(source: Settings, doing: str) -> Client:
    client = Client(source.project, _credentials(source, doing), database=source.database)
    client._emulator_host = source.emulator  # else a variable of the environment would lead another way
    return client


def _credentials(source: Settings, doing: str) -> Credentials:
    if source.emulator is not None:
        return AnonymousCredentials()
    found: Credentials
    try:
        if source.credentials_file:
            found = service_account.Credentials.from_service_account_file(source.credentials_file)
        else:
            found, _ = google.auth.default(scopes=Client.SCOPE)
        return found
    except (GoogleAuthError, OSError, ValueError) as error:
        raise SourceError(
            f"{doing}: {source.where} cannot be opened: {type(error).__name__}; expected the key of a service account in "
            f"{source.credentials_file or 'what Google calls the default credentials'}.",
            remedy="Set `credentials_file` in the profile, or GOOGLE_APPLICATION_CREDENTIALS in the environment.",
        ) from None


def _reach(client: Client, source: Settings) -> None:
    """Asks for a document of a collection that need not be there."""
    never = Retry(if_exception_type())
    next(iter(client.collection("lakehouse").limit(1).stream(retry=never, timeout=source.connect_timeout_s)), None)


@contextmanager
def translated(source: Settings, doing: str = "") -> Iterator[None]:
    """Turns them into the project's, without a secret in them.

    Raises:
        SourceUnavailableError: no answer; trying again may help.
        SourceError: Firestore refused.
    """
    where = f"{doing}: {source.where}" if doing else source.where
    try:
        yield
    except _PASSING as error:
        if isinstance(error, exceptions.MethodNotImplemented) or "not implemented" in str(error):
            raise SourceError(f"{where} does not know what it is asked: {_text(error)}.") from None
        raise SourceUnavailableError(
            f"{where} does not answer: {type(error).__name__}: {_text(error)}.",
            remedy="Check that this machine reaches it, and its quotas; or raise request_timeout_s.",
        ) from None
    except (exceptions.Unauthorized, exceptions.Forbidden, GoogleAuthError) as error:
        raise SourceError(
            f"{where} refuses who comes: {_text(error)}.",
            remedy="Give the service account the role Cloud Datastore Viewer, and check `credentials_file` in the profile.",
        ) from None
    except exceptions.NotFound as error:
        raise SourceError(
            f"{where} is not there: {_text(error)}.", remedy="Check `project` and `database` in the profile."
        ) from None
    except exceptions.GoogleAPICallError as error:
        raise SourceError(f"{where} refused the request: {type(error).__name__}: {_text(error)}.") from None


def _text(error: object) -> str:
    return one_line(error).rstrip(".")[:300]
