"""What decides the rows of silver besides raw: when it changes, silver is made anew from all of raw."""

import hashlib
import hmac

from lakehouse.fingerprint import fingerprint
from lakehouse.registry.tables import Pii, SourceTable
from lakehouse.rules import SILVER_RULES
from lakehouse.silver.contract import SilverShape


def definition_of(table: SourceTable, shape: SilverShape, pseudonym_key: bytes | None) -> str:
    """A fingerprint of the contract, the key, the rules of the engine and, where there are pseudonyms, their key's id."""
    pseudonymised = any(column.pii is Pii.PSEUDONYMISE for column in table.columns.values())
    return fingerprint(
        table.model_dump_json(include={"columns", "checks", "cursor", "history"}),
        repr(shape),
        f"rules {SILVER_RULES}",
        key_id(pseudonym_key) if pseudonymised and pseudonym_key else "",
    )


def key_id(pseudonym_key: bytes) -> str:
    """Which key of pseudonyms it is, without telling the key: the first 16 hexadecimal digits of an HMAC-SHA-256."""
    return hmac.new(pseudonym_key, b"lakehouse key id", hashlib.sha256).hexdigest()[:16]
