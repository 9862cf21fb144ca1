"""Fingerprints of what decides rows: when one changes, so may they."""

import hashlib


def fingerprint(*parts: str | bytes) -> str:
    """A short, stable fingerprint of texts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]
