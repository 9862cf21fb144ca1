"""Requests to an API: who comes is said, what may pass is tried again, and an answer that tells no page is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from lakehouse.errors import SourceError, one_line
from lakehouse.sources.rest.oauth import ClientCredentials, Token
from lakehouse.sources.rest.page import is_json
from lakehouse.sources.rest.settings import Settings
from lakehouse.sources.rest.trying import AgainError, check_passing, tried

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_MOST_SAID = 200  # letters of what a server says of a refused request


@dataclass(frozen=True)
class Answer:
    """What an API answered with.

    Attributes:
        text: the body.
        next: the address of the next page by the header ``Link``; absent where there is none.
    """

    text: bytes = field(repr=False)
    next: str | None = None


class Client:
    """One table's requests to an API, one after the other."""

    def __init__(self, source: Settings, doing: str) -> None:
        self._source, self._where = source, f"{doing}: {source.where}"
        self._doing = doing
        self._session = requests.Session()
        self._session.trust_env = False  # no password of another place (~/.netrc) is sent along
        self._session.verify = source.tls_ca_file or True
        self._credentials = ClientCredentials(source) if source.token_url is not None else None

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        """The answer to a request for ``path``, which goes out from the profile's address.

        Raises:
            SourceUnavailableError: none came that says more than to try again.
            SourceError: the API refused.
        """
        return tried(self._source.tries, lambda: self._asked(self._address(path), parameters))

    def follow(self, link: str, path: str) -> Answer:
        """The answer to a request for ``link``, which a page of ``path`` says: of the same server, or it is not followed.

        Raises:
            SourceUnavailableError, SourceError: as :meth:`get`.
        """
        own, there = urlsplit(self._source.url), urlsplit(urljoin(self._address(path), link))
        if there.hostname != own.hostname:
            raise SourceError(
                f"{self._where} says that its next page is at {there.hostname}; expected the same server, since no other is "
                "told who comes.",
                remedy="Set `url` in the profile to the server that its pages are at.",
            )
        url = urlunsplit((own.scheme, own.netloc, there.path, there.query, ""))
        return tried(self._source.tries, lambda: self._asked(url, {}))

    def _address(self, path: str) -> str:
        return f"{self._source.url}/{path.lstrip('/')}"

    def _asked(self, url: str, parameters: Mapping[str, str]) -> Answer:
        answer = self._send(url, parameters)
        if answer.status_code == _UNAUTHORIZED and self._credentials is not None and self._credentials.forget():
            answer = self._send(url, parameters)
        check_passing(self._source, answer, self._where)
        if not answer.ok or answer.is_redirect:
            raise self._refused(answer)
        if not is_json(answer.content):
            kind = answer.headers.get("Content-Type", "no type of content")
            raise AgainError(
                f"{self._where} answers {answer.status_code} and no JSON ({kind}, {len(answer.content):,} bytes)."
            )
        return Answer(answer.content, answer.links.get("next", {}).get("url"))

    def _send(self, url: str, parameters: Mapping[str, str]) -> requests.Response:
        source = self._source
        hidden = {name: value.get_secret_value() for name, value in source.query.items()}
        headers = {name: value.get_secret_value() for name, value in source.headers.items()}
        try:
            return self._session.get(
                url,
                params={**parameters, **hidden},
                headers={"Accept": "application/json", "User-Agent": "lakehouse", **headers},
                auth=self._authentication(),
                timeout=(source.connect_timeout_s, source.request_timeout_s),
                allow_redirects=False,  # a header that says who comes would go along
            )
        except requests.exceptions.SSLError as error:
            raise SourceError(
                f"{self._where}: no connection by TLS: {one_line(error, _MOST_SAID)}.",
                remedy="Check `url` and `tls_ca_file` in the profile.",
            ) from None
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise AgainError(f"{self._where} does not answer: {type(error).__name__}.") from None
        except (requests.RequestException, OSError, ValueError) as error:
            raise SourceError(
                f"{self._where} cannot be asked: {type(error).__name__}.", remedy="Correct the source in the profile."
            ) from None

    def _authentication(self) -> AuthBase | None:
        source = self._source
        if source.token is not None:
            return Token(source.token.get_secret_value())
        if source.user is not None and source.password is not None:
            return HTTPBasicAuth(source.user.encode(), source.password.get_secret_value().encode())
        if self._credentials is not None:
            return Token(self._credentials.token(self._session, self._doing))
        return None

    def _refused(self, answer: requests.Response) -> SourceError:
        status = f"{answer.status_code} {answer.reason}".strip()
        if answer.is_redirect:
            other = urlsplit(answer.headers.get("Location", "")).hostname or "another path"
            return SourceError(
                f"{self._where} answers {status}: what is asked for is at {other} now.",
                remedy="Correct `url` in the profile, or `relation` in the registry file.",
            )
        if answer.status_code in {_UNAUTHORIZED, _FORBIDDEN}:
            return SourceError(
                f"{self._where} answers {status}; expected credentials that it knows and that may read this.",
                remedy="Check them in the profile, and the environment variables of their secrets.",
            )
        if answer.status_code == _NOT_FOUND:
            return SourceError(
                f"{self._where} has no {urlsplit(answer.url).path} ({status}).",
                remedy="Correct `relation` in the registry file, or `url` in the profile.",
            )
        said = one_line(answer.text, _MOST_SAID)
        return SourceError(
            f"{self._where} answers {status}{f': {said}' if said else ''}.",
            remedy="Correct `options` or `relation` in the registry file.",
        )
