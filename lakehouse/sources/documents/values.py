"""The text of a document's values: raw has them as the document has them, and types are silver's affair.

A value is text by one rule, whatever its neighbours are: a field that holds numbers in some documents and strings in others
is normal. The rules, tested as a table in ``test_values.py``:

==================  =====================================================================================================
string, code        as it is
boolean             ``true``, ``false``
whole number        digits
double              the shortest digits that give it back (Python's ``repr``): ``0.1``, ``1e+22``, ``NaN``, ``Infinity``
Decimal128          digits, with the zeros that it was given: ``1.50``
date                ISO 8601 in UTC: ``2026-03-01T10:00:00.000Z``, with microseconds where it has any (Firestore); outside of
                    years 1 to 9999 ``… ms since 1970``
ObjectId            24 hexadecimal digits
UUID                its usual 36 letters; other binary values are base64
object, array       JSON, fields in their order; numbers as above, dates and the like as strings
place, reference    of Firestore: JSON of latitude and longitude, the path of the document
any other           MongoDB's canonical extended JSON
==================  =====================================================================================================
"""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bson import Binary, Decimal128, ObjectId, json_util
from bson.datetime_ms import DatetimeMS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND, _MICROS = timedelta(microseconds=1), 1000  # of a millisecond
#: Moments (milliseconds since 1970, UTC) that the lake can hold: years 1 to 9999.
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_MOST_DIGITS = 40  # of a Decimal128 that is written without an exponent
_UUID = 4  # the subtype of binary values


def text_of(value: Any) -> str | None:
    """The text of a value; ``None`` for null."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _double(value)
    return _text_of_other(value)


def _text_of_other(value: Any) -> str:
    if isinstance(value, DatetimeMS | datetime):
        return _moment(value)
    if isinstance(value, Decimal128):
        return _digits(value)
    if isinstance(value, Mapping | list | tuple):
        return json_of(value)
    if isinstance(value, ObjectId | str):
        return str(value)
    if isinstance(value, Binary | bytes):
        if isinstance(value, Binary) and value.subtype == _UUID and len(value) == 16:
            return str(value.as_uuid())
        return base64.b64encode(value).decode()
    return json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS, ensure_ascii=False)


def json_of(value: Any) -> str:
    """A value as JSON, without blanks."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{json_of(str(name))}:{json_of(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_of, value))}]"
    text = str(text_of(value))
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return text
    if isinstance(value, Decimal128) and value.to_decimal().is_finite():
        return text
    if isinstance(value, DatetimeMS | datetime | ObjectId | bytes | float | Decimal128):
        return json.dumps(text, ensure_ascii=False)
    return text  # extended JSON already


def id_text(value: Any) -> str | None:
    """The text of an id: as :func:`text_of`, but numbers that a database holds equal are the same text (``1`` and ``1.0``)."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal128) and (number := value.to_decimal()).is_finite():
        if number == number.to_integral_value():
            return str(int(number))
        return _digits(Decimal128(number.normalize()))
    return text_of(value)


def microseconds(value: DatetimeMS | datetime) -> int:
    """A moment's microseconds since 1970 in UTC; one without a zone is UTC."""
    if isinstance(value, DatetimeMS):
        return int(value) * _MICROS
    return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def milliseconds(value: DatetimeMS | datetime) -> int:
    """The same in milliseconds."""
    return microseconds(value) // _MICROS


def _moment(value: DatetimeMS | datetime) -> str:
    micros = microseconds(value)
    if not FIRST_MS <= micros // _MICROS <= LAST_MS:
        return f"{micros // _MICROS} ms since 1970"
    written = (_EPOCH + micros * _MICROSECOND).isoformat(
        timespec="microseconds" if micros % _MICROS else "milliseconds"
    )
    return written.replace("+00:00", "Z")


def _double(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _digits(value: Decimal128) -> str:
    number: Decimal = value.to_decimal()
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return str(value)
    return format(number, "f")
