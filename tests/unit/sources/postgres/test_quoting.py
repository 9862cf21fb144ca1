"""Names and texts in PostgreSQL's SQL: whatever they hold, they stay what they are."""

import re

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.postgres.quoting import quote_identifier, quote_literal

#: PostgreSQL has no text that holds NUL.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text("'\"\\E; -/*\n%{}$")


def spoken(literal: str) -> str:
    """The text that a PostgreSQL literal stands for, by the rules of its manual (4.1.2.1, 4.1.2.2)."""
    escaping, body = (True, literal[2:-1]) if literal.startswith("E'") else (False, literal[1:-1])
    assert literal.endswith("'")
    found, position = [], 0
    while position < len(body):
        pair = body[position : position + 2]
        doubled = pair == "''" or (escaping and pair == "\\\\")
        assert doubled or body[position] != "'", f"{literal} ends before its end"
        assert doubled or not escaping or body[position] != "\\", f"{literal} holds an escape that is not meant"
        found.append(body[position])
        position += 2 if doubled else 1
    return "".join(found)


@given(TEXTS)
def test_a_literal_stands_for_its_text_and_ends_where_it_ends(text: str) -> None:
    literal = quote_literal(text)
    assert spoken(literal) == text
    assert literal.startswith("E'") or "\\" not in literal  # the same whatever standard_conforming_strings says


@given(TEXTS.filter(bool))
def test_an_identifier_is_its_name_between_quotes(name: str) -> None:
    quoted = quote_identifier(name)
    assert re.fullmatch(r'"(?:[^"]|"")*"', quoted)
    assert quoted[1:-1].replace('""', '"') == name
