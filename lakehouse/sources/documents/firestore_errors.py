"""What the errors of Google's client mean."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.documents.settings import Settings

_PASSING = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.RetryError,
)


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
