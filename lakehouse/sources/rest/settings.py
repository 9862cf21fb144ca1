"""How an API is reached."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from lakehouse.model import SourceSettings


class Settings(SourceSettings):
    """An API that answers GET requests with JSON. It travels pickled to the executors, never as an option of a plan.

    Attributes:
        url: what the path of a relation is appended to: ``https://api.example.net/v2``.
        token: sent as ``Authorization: Bearer …``.
        user, password: sent as HTTP Basic authentication.
        token_url, client_id, client_secret, scope: of OAuth 2 (client credentials, RFC 6749 section 4.4): there a token is had.
        headers, query: what else each request bears, such as a key of the API; never shown.
        tls_ca_file: of the authority that signed the server's certificate, where the system does not know it.
        connect_timeout_s: how long (seconds) a server is looked for.
        request_timeout_s: how long (seconds) nothing may come of an answer.
        tries: how often a request is sent whose answer says that another try may help (429, 5xx, a connection that broke).
        most_wait_s: the longest wait (seconds) that the API may ask for (``Retry-After``) before it counts as away.
        parallelism: tables that are read at the same time.
    """

    type: Literal["rest"]
    url: str
    token: SecretStr | None = None
    user: str | None = None
    password: SecretStr | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    scope: str | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    query: dict[str, SecretStr] = Field(default_factory=dict)
    tls_ca_file: str | None = None
    connect_timeout_s: float = Field(default=10.0, gt=0)
    request_timeout_s: float = Field(default=60.0, gt=0)
    tries: int = Field(default=5, ge=1)
    most_wait_s: float = Field(default=120.0, ge=0)
    parallelism: int = Field(default=2, ge=1, le=64)

    @field_validator("url", "token_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("expected https://host/path, or http://…, without a question mark")
        if parts.username is not None:
            raise ValueError("the address holds a user; expected it in `user` and `password`")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way_to_say_who_comes(self) -> Self:
        ways = {"token": self.token, "user": self.user, "token_url": self.token_url}
        said = [name for name, value in ways.items() if value is not None]
        if len(said) > 1:
            raise ValueError(f"expected one of `token`, `user` and `token_url`; found {' and '.join(said)}")
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together")
        if len({self.token_url is None, self.client_id is None, self.client_secret is None}) > 1:
            raise ValueError("`token_url`, `client_id` and `client_secret` go together")
        return self

    @property
    def where(self) -> str:
        """For messages."""
        return f"the API at {self.url}"
