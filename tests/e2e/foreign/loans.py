"""A library, which lends books in documents."""

import json
from random import Random
from typing import Any

from bson import Decimal128, Int64, ObjectId
from pymongo.collection import Collection

from tests.e2e.foreign.common import WRONG, Row, Truth, at, number, utc


class Loans:
    """Books lent, a document each, whose fields have the type that the program of the day gave them."""

    def __init__(self, collection: Collection[Row]) -> None:
        self._loans = collection
        self._random = Random(5)
        self._ids: list[Any] = []

    def play(self, day: int) -> None:
        """What the library's programs write on the day."""
        (self._first, self._second, self._third)[day - 1]()

    def _first(self) -> None:
        for n in range(60):
            self._lend(n, n / 4)
        self._lend(60, 2, changed=None)
        self._lend(61, 2, changed="a while ago")
        self._lend(62, 3, fine="a lot")

    def _second(self) -> None:
        for n in range(70, 80):
            self._lend(n, 20 + n / 10)
        self._lend(80, -500)  # it bears a time long before
        self._lend(81, 14)  # late, within the overlap
        self._change(3, 30, fine=Decimal128("12.30"), back=True)
        self._change(62, 30, fine="0.99")
        self._change(4, 30, fine="waived")  # it was right before
        self._change(5, 30, member={"name": None, "card": [1, 2]}, extra={"deep": [{"n": Int64(2)}, "ü"]})
        self._change(60, None, fine=7)  # it has no cursor, and its change is seen
        self._drop(0, 1, 2)

    def _third(self) -> None:
        self._change(4, 40, fine=1)
        self._change(70, 40, due="2031-06-01T00:00:00+02:00")
        self._change(71, 40, book={"isbn": "x"}, back=None)
        self._change(72, 40, book="lost")
        self._change(74, 40, fine="?")
        self._drop(60, 73)
        self._lend(0, 41, fine=Decimal128("0.00"))  # the loan that left is there again
        self._lend(90, 41.5, fine=9999.99)
        for n in self._random.sample(range(6, 59), 30):
            self._change(
                n, 42 + n / 60, fine=self._random.choice((n, f"{n}.5", "free", None)), back=self._random.random() < 0.5
            )

    def truth(self) -> Truth:
        """What the collection holds, read from it again."""
        rows: dict[Any, Row] = {}
        rejected: set[Any] = set()
        for loan in self._loans.find():
            try:
                rows[str(loan["_id"])] = self._row(loan)
            except WRONG:
                rejected.add(str(loan["_id"]))
        return rows, rejected

    @staticmethod
    def _row(loan: Row) -> Row:
        changed = loan.get("changed")
        if isinstance(changed, str):
            raise ValueError(changed)
        other = {name: loan[name] for name in loan.keys() & {"extra"}}
        book = loan["book"]
        if not isinstance(book, dict):
            book, other["book"] = {}, book
        titles, card = book.get("titles"), loan["member"]["card"]
        return {
            "loan_id": str(loan["_id"]),
            "member_name": loan["member"]["name"],
            "member_card": json.dumps(card, separators=(",", ":")) if isinstance(card, list) else str(card),
            "book_isbn": book.get("isbn"),
            "book_titles": None if titles is None else json.dumps(titles, separators=(",", ":")),
            "due": utc(loan["due"]),
            "fine": number(loan["fine"], "0.01"),
            "back": loan["back"],
            "changed": utc(changed),
            "other_fields": other or None,
        }

    def _lend(self, n: int, hours: float, **more: Any) -> None:
        while len(self._ids) <= n:
            self._ids.append(ObjectId(self._random.randbytes(12)))
        loan = {
            "_id": self._ids[n],
            "member": {"name": f"Zoë {n}", "card": (n, f"00{n}", Int64(2**40 + n))[n % 3]},
            "book": {"isbn": f"978-{n}", "titles": ["a", f"b{n}"]},
            "due": (at(hours + 500), at(hours + 500).isoformat(), None)[n % 3],
            "fine": (1.5, "2.50", Decimal128("3.75"), None, 4)[n % 5],
            "back": n % 2 == 0,
            "changed": at(hours),
            **more,
        }
        if loan["changed"] is None:
            del loan["changed"]
        self._loans.insert_one(loan)

    def _change(self, n: int, hours: float | None, **fields: Any) -> None:
        moved = {} if hours is None else {"changed": at(hours)}
        self._loans.update_one({"_id": self._ids[n]}, {"$set": {**fields, **moved}})

    def _drop(self, *numbers: int) -> None:
        for n in numbers:
            self._loans.delete_one({"_id": self._ids[n]})
