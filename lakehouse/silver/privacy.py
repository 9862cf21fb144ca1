"""What becomes of personal data on its way to silver, as column expressions."""

import hashlib

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError
from lakehouse.registry.tables import Pii

_BLOCK = 64  # SHA-256's block, in bytes
_REDACTED = "[redacted]"
_ALNUM, _OTHER = r"[\p{L}\p{N}]", r"[^\p{L}\p{N}]"
_MASKED_FROM = 8  # of fewer letters and digits the last four would be half of the value
_OCTET, _HEXTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)", "[0-9a-f]{1,4}"
_IPV4 = rf"^(?:::ffff:)?({_OCTET}\.{_OCTET}\.{_OCTET})\.{_OCTET}(?:/\d+)?$"
_SOME_HEXTETS = rf"(?:{_HEXTET}(?::{_HEXTET})*)?"
_IPV6 = rf"^(?:{_HEXTET}(?::{_HEXTET}){{7}}|{_SOME_HEXTETS}::{_SOME_HEXTETS})(?:/\d+)?$"
_HEXTETS = 8


def published_type(policy: Pii | None, kind: str) -> str | None:
    """The Spark SQL type that a column of type ``kind`` has under ``policy``; ``None`` when it is not published."""
    match policy:
        case Pii.EXCLUDE | Pii.DROP:
            return None
        case Pii.YEAR:
            return "int"
        case None | Pii.NONE:
            return kind
        case _:
            return "string"


def protect(column: Column, policy: Pii | None, key: bytes | None) -> Column:
    """``column`` as ``policy`` wants it; NULL stays NULL.

    Args:
        key: of pseudonyms.

    Raises:
        ConfigurationError: a pseudonym is wanted, and the profile has no key.
    """
    match policy:
        case Pii.PSEUDONYMISE:
            if not key:
                raise ConfigurationError(
                    "a column is to be pseudonymised, and the profile has no `pseudonym_key`.",
                    remedy="Set LAKEHOUSE_PSEUDONYM_KEY.",
                )
            return hmac_sha256(column.cast("string"), key)
        case Pii.REDACT:
            return F.when(column.isNotNull(), F.lit(_REDACTED))
        case Pii.MASK:
            return _masked(column.cast("string"))
        case Pii.YEAR:
            return F.year(column.try_cast("date"))
        case Pii.TRUNCATE_IP:
            return _network(F.translate(F.trim(column.cast("string")), "ABCDEF", "abcdef"))
        case _:
            return column


def _masked(text: Column) -> Column:
    """``text`` with all letters and digits but the last four starred; all of them where they are few."""
    kept = F.regexp_replace(text, f"{_ALNUM}(?=(?:{_OTHER}*{_ALNUM}){{4}})", "*")
    enough = F.length(F.regexp_replace(text, _OTHER, "")) >= _MASKED_FROM
    return F.when(enough, kept).otherwise(F.regexp_replace(text, _ALNUM, "*"))


def _network(address: Column) -> Column:
    """The /24 of an IPv4 address, the /48 of an IPv6 one (RFC 4291 texts); of anything else only that it was there."""
    sides = F.split(F.split(address, "/")[0], "::")
    left, right = (F.split(F.get(sides, F.lit(side)), ":") for side in (0, 1))
    filled = F.array_remove(F.coalesce(left, F.array()), "")
    tail = F.array_remove(F.coalesce(right, F.array()), "")
    lacking = F.lit(_HEXTETS) - F.size(filled) - F.size(tail)
    zeros = F.array_repeat(F.lit("0"), F.greatest(lacking, F.lit(0)))
    not_too_many = ~address.contains("::") | (lacking > 0)
    hextets = F.transform(
        F.slice(F.concat(filled, zeros, tail), 1, 3), lambda part: F.regexp_replace(part, "^0+(?=.)", "")
    )
    return (
        F.when(address.rlike(_IPV4), F.concat(F.regexp_extract(address, _IPV4, 1), F.lit(".0/24")))
        .when(address.rlike(_IPV6) & not_too_many, F.concat(F.array_join(hextets, ":"), F.lit("::/48")))
        .when(address.isNotNull(), F.lit(_REDACTED))
    )


def hmac_sha256(text: Column, key: bytes) -> Column:
    """HMAC-SHA-256 (RFC 2104) of the UTF-8 bytes of ``text``, as 64 hexadecimal digits; NULL of NULL.

    Spark has the hash and not the HMAC: H((K xor opad) || H((K xor ipad) || text)).
    """
    inner, outer = pads(key)
    digest = F.unhex(F.sha2(F.concat(F.lit(inner), F.encode(text, "UTF-8")), 256))
    return F.sha2(F.concat(F.lit(outer), digest), 256)


def pads(key: bytes) -> tuple[bytes, bytes]:
    """The inner and the outer pad of an HMAC key. They tell the key: never log them."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
