"""What becomes of personal data on its way to silver, as column expressions."""

import hashlib

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError
from lakehouse.registry.tables import Pii

_BLOCK = 64  # SHA-256's block, in bytes
_REDACTED = "[redacted]"


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
        case _:
            return column


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
