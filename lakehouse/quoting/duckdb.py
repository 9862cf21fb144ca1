"""Names and values in DuckDB's SQL. What takes no parameters there (ATTACH, CREATE SECRET, CREATE VIEW) is built with these."""


def identifier(name: str) -> str:
    """One identifier, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, in single quotes; a backslash in it is only a backslash."""
    return "'" + text.replace("'", "''") + "'"
