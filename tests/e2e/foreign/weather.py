"""Weather stations, which leave files."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e.foreign.common import WRONG, Row, Truth, at, number


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
                except WRONG:
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
