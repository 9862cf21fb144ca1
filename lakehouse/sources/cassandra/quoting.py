"""Names in CQL."""


def quote_name(name: str) -> str:
    """``name`` as a quoted CQL identifier."""
    return '"' + name.replace('"', '""') + '"'
