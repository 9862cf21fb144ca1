"""What a request asks for: its token and its body, checked before anything is ranked."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from pydantic import SecretStr

from lakehouse.errors import one_line

MOST_CANDIDATES = 1000
MOST_BYTES = 2**20

Key = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | str


class RefusedError(Exception):
    """A request that gets no ranking.

    Attributes:
        status: of HTTP.
        why: what was found and what was expected, without the token.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """For whom which candidates are to be put in order."""

    customer: Key
    candidates: list[Key]


class Token:
    """The token that a request must bear. It holds a digest, so that how long a comparison takes tells nothing."""

    def __init__(self, secret: SecretStr) -> None:
        self._digest = _digest(secret.get_secret_value())

    def check(self, authorization: str | None) -> None:
        """Hold the header ``Authorization`` of a request against the token.

        Raises:
            RefusedError: with 401.
        """
        scheme, _, sent = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            found = "no token was sent" if not authorization else "what was sent is no bearer token"
            raise RefusedError(401, f"{found}; expected the header `Authorization: Bearer <token>`")
        if not hmac.compare_digest(_digest(sent.strip()), self._digest):
            raise RefusedError(401, "the token that was sent is another one; expected the one of the server's profile")


async def whole(chunks: AsyncIterator[bytes], announced: str | None) -> bytes:
    """The body that comes in ``chunks``; no more of it is kept than may come.

    Args:
        announced: the header ``Content-Length``.

    Raises:
        RefusedError: with 413.
    """
    if announced is not None and announced.isdecimal() and int(announced) > MOST_BYTES:
        raise RefusedError(413, f"the body has {announced} bytes; expected at most {MOST_BYTES}")
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            raise RefusedError(413, f"the body has more than {MOST_BYTES} bytes; expected at most that many")
    return bytes(body)


def understood(body: bytes) -> Asked:
    """What ``body`` asks for.

    Raises:
        RefusedError: with 400.
    """
    try:
        asked = msgspec.json.decode(body, type=Asked)
    except msgspec.ValidationError as error:
        raise RefusedError(400, f"{one_line(error, _LONGEST)}; {_EXPECTED}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, f"the body is no JSON ({one_line(error, _LONGEST)}); {_EXPECTED}") from None
    count = len(asked.candidates)
    if not 1 <= count <= MOST_CANDIDATES:
        raise RefusedError(400, f"{count or 'no'} candidates were sent; expected 1 to {MOST_CANDIDATES}")
    if len(set(asked.candidates)) < count:
        twice = count - len(set(asked.candidates))
        raise RefusedError(400, f"{count} candidates were sent, {twice} of them again; expected each once")
    return asked


_LONGEST = 200
_EXPECTED = (
    'expected {"customer": <integer or text>, "candidates": [<integers or texts>]}, integers of at most 64 bits, '
    "and nothing else"
)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
