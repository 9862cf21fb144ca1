"""Tokens: one that is given, and those that OAuth 2 hands out for client credentials (RFC 6749 section 4.4)."""

import time

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from lakehouse.errors import SourceError
from lakehouse.sources.rest.settings import Settings
from lakehouse.sources.rest.trying import AgainError, check_passing

#: A token is not used for the last seconds of its life; one whose life is not told lives that long.
_SPARE_S, _LIFE_S = 30.0, 300.0


class Token(AuthBase):
    """Sends a token as ``Authorization: Bearer …`` (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class ClientCredentials:
    """The token of a client, had anew when it ends."""

    def __init__(self, source: Settings) -> None:
        self._source = source
        self._token: str | None = None
        self._ends_at = 0.0

    def forget(self) -> bool:
        """Whether there was a token, which the API did not take: the next one is had anew."""
        there, self._token = self._token is not None, None
        return there

    def token(self, session: requests.Session, doing: str) -> str:
        """One that lives.

        Raises:
            AgainError: the server that hands them out does not answer.
            SourceError: it refuses the client.
        """
        if self._token is None or time.monotonic() >= self._ends_at:
            self._token, life = self._had(session, f"{doing}: {self._source.token_url}, which hands out tokens,")
            self._ends_at = time.monotonic() + max(life - _SPARE_S, life / 2)
        return self._token

    def _had(self, session: requests.Session, where: str) -> tuple[str, float]:
        """A token, and how long (seconds) it lives."""
        source = self._source
        assert source.client_id is not None
        assert source.client_secret is not None
        try:
            answer = session.post(
                str(source.token_url),
                data={"grant_type": "client_credentials"} | ({"scope": source.scope} if source.scope else {}),
                auth=HTTPBasicAuth(source.client_id.encode(), source.client_secret.get_secret_value().encode()),
                headers={"Accept": "application/json", "User-Agent": "lakehouse"},
                timeout=(source.connect_timeout_s, source.request_timeout_s),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise AgainError(f"{where} does not answer: {type(error).__name__}.") from None
        check_passing(source, answer, where)
        if not answer.ok:
            raise SourceError(
                f"{where} refuses client {source.client_id!r} ({answer.status_code} {answer.reason}).",
                remedy="Check `client_id`, `scope` and the environment variable of `client_secret`.",
            )
        try:
            said = answer.json()
            return str(said["access_token"]), float(said.get("expires_in") or _LIFE_S)
        except (ValueError, KeyError, TypeError):
            raise SourceError(
                f"{where} answers {answer.status_code} and no token; expected JSON with access_token.",
                remedy="Check `token_url` in the profile.",
            ) from None
