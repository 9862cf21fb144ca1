"""Four sources that nobody here has seen, three days of mess in each, and what silver should hold of them in plain Python.

Weather stations leave files, a library lends books in documents, bays of a car park send messages in Avro, and a survey is
had from an API. Each class plays a day into its source and says by ``truth`` what a person expects of the lake then: the
rows of silver by their key, and the names of what stands in quarantine. No code of the engine is used here.
"""

import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import fastavro
from bson import Decimal128, Int64, ObjectId
from confluent_kafka import KafkaError, Message, Producer
from pymongo.collection import Collection

Row = dict[str, Any]
Truth = tuple[dict[Any, Row], set[Any]]
START = datetime(2031, 5, 4, 6, tzinfo=UTC)
_WRONG = (ValueError, ArithmeticError)
_WIRE = b"\x00\x00\x00\x00\x07"  # what Confluent's programs put before a message: a zero, and the number of the schema


def at(hours: float) -> datetime:
    """The moment so many hours after the beginning."""
    return START + timedelta(hours=hours)


def number(value: Any, places: str) -> Decimal | None:
    """A decimal with so many places, however it was written; one that has more is refused, not rounded."""
    if value is None:
        return None
    found = Decimal(str(value)).quantize(Decimal(places))
    if found != Decimal(str(value)):
        raise ValueError(value)
    return found


def _utc(value: datetime | str | None) -> datetime | None:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found is None else found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


class Weather:
    """Readings of stations: CSV with semicolons from the old ones, gzipped JSON lines from the new ones, in nested folders."""

    HEADER = ("station", "seen", "temp", "wind", "remark")

    def __init__(self, root: Path) -> None:
        self.root = root
        self._random = Random(3)
        self._files: dict[str, list[tuple[int, Row | str]]] = {}

    def play(self, day: int) -> None:
        """What the stations leave on the day."""
        (self._first, self._second, self._third)[day - 1]()

    def _first(self) -> None:
        fog = {"seen": "04.05.2031 06:00", "temp": "11.5", "wind": "3", "remark": 'fog; "thick"\nlater sun'}
        self._write("oslo/2031/05/04.csv", [
            {"station": "OSL", **fog},
            {"station": "OSL", "seen": "04.05.2031 07:00", "temp": None, "wind": None, "remark": ""},
            {"station": "OSL", "seen": "04.05.2031 12:00", "temp": "1", "wind": "", "remark": "an empty cell is no number"},
            {"station": "OSL", "seen": "04.05.2031 08:00", "temp": "warm", "wind": "4", "remark": None},
            "OSL;04.05.2031 09:00;12.0;4;;too;many",
            {"station": " OSL ", "seen": "04.05.2031 10:00", "temp": " 12.25", "wind": "5", "remark": "größer"},
            {"station": "OSL", "seen": "04.05.2031 11:00", "temp": "9", "wind": "5", "remark": "leaves the file"},
            {"station": "OSL", "seen": "04.05.2031 06:00", "temp": "11.75", "wind": "2", "remark": "the same again"},
            *[self._bulk(n, [str(self._random.randint(-9, 25)), "7.5"], None) for n in range(60)],
        ])  # fmt: skip
        self._write("rome/2031/05/04.jsonl.gz", [
            {"station": "ROM", "seen": "2031-05-04T08:00:00+02:00", "temp": 20.25, "wind": 1, "hw": {"v": 2, "on": True}},
            {"station": "ROM", "seen": int(at(1).timestamp()), "temp": "21.0", "wind": None, "note": "new field"},
            {"station": "ROM", "seen": int(at(2).timestamp()), "temp": 22, "wind": "breeze"},
            "{broken", "[1, 2]", '{"seen": "2031-05-04T06:00:00Z", "temp": 1}',
        ])  # fmt: skip

    def _second(self) -> None:
        self._write("oslo/2031/05/05.csv", [
            {"pressure": "1013", "temp": "7.5", "seen": "06.05.2031 06:00", "station": "OSL", "wind": "1"},
            {"pressure": None, "temp": "8.5", "seen": "06.05.2031 07:00", "station": "OSL", "wind": "2"},
        ], ("pressure", "temp", "seen", "station", "wind"))  # fmt: skip
        again = [line for _, line in self._files["oslo/2031/05/04.csv"]]
        assert isinstance(again[3], dict)
        self._write(
            "oslo/2031/05/04.csv", [again[0], again[1], {**again[3], "temp": "13.0"}, again[4], again[5], *again[7:]]
        )
        self._write("rome/2031/05/06.jsonl.gz", [
            {"station": "OSL", "seen": "2031-05-04T07:00:00Z", "temp": 10.5, "wind": 2, "remark": "from Rome"},
            {"station": "ROM", "seen": "2031-05-04T06:00:00Z", "temp": 19, "wind": 1},
            {"station": "ROM", "seen": int(at(30).timestamp()), "temp": 18, "wind": 1},
        ])  # fmt: skip
        (self.root / "rome/2031/05/04.jsonl.gz").unlink()  # its rows stay

    def _third(self) -> None:
        self._write("rome/2031/05/06.jsonl.gz", [
            {"station": "ROM", "seen": int(at(30).timestamp()), "temp": 17.5, "wind": 1},
            {"station": "ROM", "seen": int(at(2).timestamp()), "temp": 22, "wind": 6},
        ])  # fmt: skip
        self._write("oslo/2031/05/06.csv", [])
        (self.root / "oslo/2031/05/07.csv").write_bytes(b"")
        self._write("oslo/2031/05/08.csv", [
            {"station": "OSL", "seen": "06.05.2031 07:00", "temp": "hot", "wind": "1", "remark": None},
            {"station": "OSL", "seen": "06.05.2031 09:00", "temp": "1", "wind": "1", "remark": ""},
            *[self._bulk(n, ("1.25", "1.255", None), f"put right; {n}") for n in self._random.sample(range(60), 30)],
        ])  # fmt: skip

    def _bulk(self, n: int, temperatures: Sequence[str | None], remark: str | None) -> Row:
        seen = f"05.05.2031 {n % 24:02}:{n:02}"
        return {
            "station": "OSL",
            "seen": seen,
            "temp": self._random.choice(temperatures),
            "wind": str(n),
            "remark": remark,
        }

    def _write(self, path: str, lines: Sequence[Row | str], header: Sequence[str] = HEADER) -> None:
        """Write a file, anew where it is there; a text among the lines is no reading."""
        csv, said, place = path.endswith(".csv"), [], 1
        texts = [";".join(header)] if csv else []
        for line in lines:
            text = line if isinstance(line, str) else self._text(line, header) if csv else json.dumps(line)
            said.append((place + csv, line))
            texts.append(text)
            place += 1 + text.count("\n")
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        end = "\r\n" if csv else "\n"
        content = "".join(text + end for text in texts)
        target.write_bytes(content.encode("utf-8-sig") if csv else gzip.compress(content.encode(), mtime=0))
        self._files.pop(path, None)
        self._files[path] = said

    @staticmethod
    def _text(row: Row, header: Sequence[str]) -> str:
        cells = ["-" if row[name] is None else row[name] for name in header]
        return ";".join('"' + cell.replace('"', '""') + '"' if set(cell) & set('";\n') else cell for cell in cells)

    def truth(self) -> Truth:
        """What the files hold, the last that came of each key; a file that vanished counts as it was."""
        rows: dict[Any, Row] = {}
        rejected: set[Any] = set()
        for path, lines in self._files.items():
            for place, line in lines:
                if isinstance(line, str):
                    rejected.add((path, place))
                    continue
                key = (line["station"].strip(), self._moment(line["seen"]))
                here = {"station": key[0], "seen": key[1], "source_file": path, "source_line": place}
                rows.pop(key, None)
                rejected.discard(key)
                try:
                    rows[key] = self._row(line) | here
                except _WRONG:
                    rejected.add(key)
        return rows, rejected

    @staticmethod
    def _row(line: Row) -> Row:
        hardware = line.get("hw", {})
        other = {name: value for name, value in line.items() if name not in {*Weather.HEADER, "hw"}}
        if set(hardware) - {"v"}:
            other["hw"] = hardware  # whole, since a part of it is not declared
        return {
            "temp": number(line["temp"], "0.01"),
            "wind": None if line["wind"] is None else int(line["wind"]),
            "remark": line.get("remark"),
            "hw_v": hardware.get("v"),
            "other_fields": other or None,
        }

    @staticmethod
    def _moment(value: Any) -> datetime:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        if value[2] == ".":
            return datetime.strptime(value, "%d.%m.%Y %H:%M").replace(tzinfo=UTC)
        return datetime.fromisoformat(value).astimezone(UTC)


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
            except _WRONG:
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
            "due": _utc(loan["due"]),
            "fine": number(loan["fine"], "0.01"),
            "back": loan["back"],
            "changed": _utc(changed),
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


class Parking:
    """Bays of a car park, whose sensors write Avro as Confluent's programs frame it; no value takes a bay away."""

    SCHEMA: ClassVar[Row] = {"type": "record", "name": "Bay", "namespace": "city.parking", "fields": [
        {"name": "bay", "type": "string"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["FREE", "TAKEN", "FAULT"]}},
        {"name": "since", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "tariff", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}]},
        {"name": "sensor", "type": {"type": "record", "name": "Sensor", "fields": [
            {"name": "id", "type": "string"}, {"name": "volts", "type": "double"}]}},
        {"name": "labels", "type": {"type": "map", "values": "string"}},
    ]}  # fmt: skip

    def __init__(self, servers: str, topic: str) -> None:
        self._topic, self._producer = topic, Producer({"bootstrap.servers": servers, "log_level": 0})
        self._log: list[tuple[int, int, str, Row | bytes | None, int]] = []
        self._random = Random(7)

    def play(self, day: int) -> None:
        """What the bays send on the day; it returns when the broker has it."""
        (self._first, self._second, self._third)[day - 1]()
        assert self._producer.flush(30) == 0

    def _first(self) -> None:
        for n in range(40):
            self._send(n % 25, self._bay(n % 25, n / 10))
        self._send(3, None)
        self._send(3, self._bay(3, 9))  # taken away, and there again
        self._send(4, None)
        self._send(5, b"hello")  # neither framed nor Avro
        self._send(6, _WIRE + b"\x04B")  # cut off
        self._send(7, self._bay(7, 9, volts=99.0))  # breaks a check
        self._send(99, None)  # of a bay that nobody knows

    def _second(self) -> None:
        for n in range(20, 35):
            self._send(n, self._bay(n, 24))
        for _ in range(3):
            self._send(8, self._bay(8, 25, tariff=Decimal("0.05")))  # the same thrice
        self._send(9, self._bay(9, -90))  # late, and yet what came last
        self._send(7, self._bay(7, 26))  # it is right again
        self._send(10, self._bay(10, 26, volts=-1.0))
        self._send(11, self._bay(11, 26, volts=-1.0))
        self._send(12, None)
        self._send(13, b"")

    def _third(self) -> None:
        self._send(10, None)  # what was rejected leaves
        self._send(11, self._bay(11, 50, volts=98.0))  # it stays wrong
        self._send(4, self._bay(4, 51))
        self._send(14, self._bay(14, 52))
        self._send(14, None)
        self._send(15, b'{"bay": "B15"}')
        for _ in range(120):
            n = self._random.randrange(16, 35)
            what = self._bay(n, 60, volts=self._random.choice((0.5, 4.5, 5.5)))
            self._send(n, self._random.choices((what, None, b"\xff\x00"), (7, 2, 1))[0])

    def _bay(self, n: int, hours: float, volts: float = 3.25, **more: Any) -> Row:
        when = at(hours).replace(microsecond=self._random.randrange(1000) * 1000)
        return {
            "bay": f"B{n}",
            "state": ("FREE", "TAKEN", "FAULT")[n % 3],
            "since": when,
            "day": when.date(),
            "tariff": Decimal("12.50") if n % 2 else None,
            "sensor": {"id": f"s{n}", "volts": volts},
            "labels": {"lift": "no", "straße": f"{n}"} if n % 4 else {},
            **more,
        }

    def _send(self, n: int, value: Row | bytes | None) -> None:
        content = value if not isinstance(value, dict) else None
        if isinstance(value, dict):
            body = io.BytesIO()
            fastavro.schemaless_writer(body, self.SCHEMA, value)
            content = _WIRE + body.getvalue()
        key = f"B{n}"
        self._producer.produce(self._topic, content, key=key, partition=n % 3, on_delivery=self._delivered(key, value))

    def _delivered(self, key: str, value: Row | bytes | None) -> Callable[[KafkaError | None, Message], None]:
        def noted(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            _, sent = message.timestamp()
            self._log.append((message.partition() or 0, message.offset() or 0, key, value, sent))

        return noted

    def truth(self) -> Truth:
        """The last message of each bay; one that cannot be read is of no bay."""
        rows: dict[Any, Row] = {}
        rejected: set[Any] = set()
        for partition, offset, key, value, sent in self._log:
            if isinstance(value, bytes):
                rejected.add((partition, offset))
                continue
            rows.pop(key, None)
            rejected.discard(key)
            if value is None:
                continue
            if not 0 <= value["sensor"]["volts"] <= 5:
                rejected.add(key)
                continue
            rows[key] = {name: value[name] for name in ("bay", "state", "since", "day", "tariff", "labels")} | {
                "sensor_id": value["sensor"]["id"],
                "sensor_volts": value["sensor"]["volts"],
                "other_fields": None,
                "message_key": key,
                "message_time": datetime.fromtimestamp(sent / 1000, UTC),
                "message_headers": None,
                "source_partition": partition,
                "source_offset": offset,
            }
        return rows, rejected


class Survey:
    """Answers to a survey, from an API that pages by ``skip``, gives ten records at most, and is often busy."""

    TOKEN = "only-for-us"
    MOST = 10

    def __init__(self) -> None:
        self._random = Random(11)
        self._replies: list[Any] = []
        self.faults: list[tuple[int, dict[str, str], bytes]] = []
        self.between: list[int] = []
        self.asked: list[dict[str, str]] = []

    def play(self, day: int) -> None:
        """What people answer on the day, and how the API will misbehave in it."""
        (self._first, self._second, self._third)[day - 1]()
        self.faults = [(429, {"Retry-After": "1"}, b"busy"), (503, {"Retry-After": "0"}, b""), (200, {}, b"<html>")]

    def _first(self) -> None:
        self._replies = [self._reply(n, n / 3) for n in range(47)]
        self._replies[11:11] = ["no object", self._reply(100, 1, edited="yesterday"), self._reply(101, 1, score="lots")]

    def _second(self) -> None:
        self._replies += [self._reply(n, 20 + n / 50) for n in range(60, 75)]
        self._replies.append(self._reply(80, -800))  # it bears a time long before
        self._replies.append(self._reply(81, 15))  # late, within the overlap
        self._edit(3, 22, score="8.25")
        self._edit(4, 22, score="n/a")  # it was right before
        self._edit(101, 23, score=10)
        self._drop(0, 1, 2, 30)
        self.between = [5, 6]  # they leave while pages are read

    def _third(self) -> None:
        self._edit(4, 40, score=None)
        self._edit(7, 40, text=None, tags=[], respondent={"country": None}, device={"os": "x"})
        self._edit(8, 40, respondent="nobody")
        self._drop(60, 101)
        self._replies.insert(0, self._reply(0, 41))  # the answer that left is there again
        self._replies.append(self._replies[9])  # shown twice
        self._replies.reverse()
        for n in self._random.sample(range(10, 29), 12):
            self._edit(n, 42 + n / 60, score=self._random.choice((n, f"{n}.5", "none", None)))

    @staticmethod
    def _reply(n: int, hours: float, **more: Any) -> Row:
        moment = at(hours).replace(microsecond=0)
        return {
            "reply_id": f"R-{n:03}",
            "edited": moment.isoformat() if n % 10 == 9 else int(moment.timestamp() * 1000),
            "score": (7, "7.5", None, 0.1)[n % 4],
            "respondent": {"country": ("DE", "FR")[n % 2], "born": 1950 + n},
            "tags": ["x", n],
            "text": f"olá 😀\n{n}",
            **more,
        }

    def _of(self, n: int) -> int:
        (found,) = (
            i for i, one in enumerate(self._replies) if isinstance(one, dict) and one["reply_id"] == f"R-{n:03}"
        )
        return found

    def _edit(self, n: int, hours: float, **fields: Any) -> None:
        place = self._of(n)
        self._replies[place] = {**self._replies[place], "edited": int(at(hours).timestamp() * 1000), **fields}

    def _drop(self, *numbers: int) -> None:
        for n in numbers:
            del self._replies[self._of(n)]

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body of the answer to a request."""
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.asked.append(asked)
        if authorization != f"Bearer {self.TOKEN}":
            return 401, {}, b"who are you?"
        if self.faults:
            return self.faults.pop(0)
        if url.path != "/open/v3/replies" or asked.get("wave") != "spring":
            return 404, {}, b"nothing here"
        since, skip = int(asked.get("editedSince", 0)), int(asked.get("skip", 0))
        there = [one for one in self._replies if self._edited(one) is None or (self._edited(one) or 0) >= since]
        shown = there[skip : skip + min(int(asked.get("take", 5)), self.MOST)]
        if skip and self.between:
            self._drop(self.between.pop())
        body = {"payload": {"replies": shown}, "paging": {"all": len(there)}}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    @staticmethod
    def _edited(reply: Any) -> int | None:
        """When a reply was edited, in milliseconds; ``None`` where it does not say."""
        edited = reply["edited"] if isinstance(reply, dict) else None
        if not isinstance(edited, str):
            return edited
        return int(datetime.fromisoformat(edited).timestamp() * 1000) if edited[0].isdigit() else None

    def truth(self) -> Truth:
        """What the API holds."""
        rows: dict[Any, Row] = {}
        rejected: set[Any] = set()
        for reply in self._replies:
            edited = self._edited(reply)
            if edited is None:
                rejected.add(reply if isinstance(reply, str) else reply["reply_id"])
                continue
            other = {name: reply[name] for name in reply.keys() & {"device"}}
            who = reply["respondent"]
            if not isinstance(who, dict):
                who, other["respondent"] = {}, who
            try:
                rows[reply["reply_id"]] = {
                    "reply_id": reply["reply_id"],
                    "edited": datetime.fromtimestamp(edited / 1000, UTC),
                    "score": number(reply["score"], "0.01"),
                    "respondent_country": who.get("country"),
                    "respondent_born": who.get("born"),
                    "tags": json.dumps(reply["tags"]),
                    "text": reply["text"],
                    "other_fields": other or None,
                }
            except _WRONG:
                rejected.add(reply["reply_id"])
        return rows, rejected


@contextmanager
def served(survey: Survey) -> Iterator[str]:
    """The survey on a port of this machine, until the end; where its API is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = survey.answer(self.path, self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/open/v3"
        finally:
            server.shutdown()
            thread.join()
