"""What gold of `platform` must hold, asked of the files that the generators wrote, in plain Python.

It imports nothing of the engine and nothing of the registry: it is the arbiter between the two. Files are read in the order in
which they were last written; of an event, or of a version of a company, that comes more than once the last one counts.

- Days and moments are UTC, also what a program writes without a zone. A number below 10^11 is of seconds, else milliseconds.
- An event needs an id, a moment, a known type, and a user or a session. A line that is no JSON object counts nowhere.
- Without a number of the source, a session ends with 30 minutes of silence of its visitor.
"""

import gzip
import hashlib
import hmac
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

from scripts.demo_data.platform.clicks import AGENTS, DEVICES, REFERRERS

Row = tuple[Any, ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = ("view", "cart", "checkout", "purchase")
_SILENCE = timedelta(minutes=30)
_RATES = {"USD": "1.0", "EUR": "0.92", "GBP": "0.79", "JPY": "149.5", "CHF": "0.88"}
_SCORES = {"pre seed": 1, "seed": 2, "series a": 3, "series b": 4, "series c": 5, "growth": 6}
_BOUNDS = ((50_000_000, "50 million and more"), (10_000_000, "10 to 50 million"), (1_000_000, "1 to 10 million"))


def lines(folder: Path, pattern: str) -> dict[str, int]:
    """How many lines that are not blank each file has."""
    files = [path for path in folder.glob(pattern) if not path.name.startswith((".", "_"))]
    found = {
        str(path.relative_to(folder)): sum(map(bool, map(bytes.strip, _content(path).split(b"\n")))) for path in files
    }
    return {name: count for name, count in found.items() if count}


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def records(folder: Path, pattern: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in the lines of the files, in the order in which files were last written."""
    files = [path for path in folder.glob(pattern) if not path.name.startswith((".", "_"))]
    for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, str(path.relative_to(folder)))):
        for line in _content(path).split(b"\n"):
            try:
                value = json.loads(line.decode(), parse_float=Decimal)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value


def moment(value: Any) -> datetime | None:
    """A moment that was written in one of the ways that programs have."""
    text = "" if value is None else str(value)
    if re.fullmatch(r"\d+", text):
        number = int(text)
        return _EPOCH + timedelta(milliseconds=number if number >= 10**11 else number * 1000)
    if re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", text):
        return datetime.strptime(text, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def events(folder: Path, messages: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """The events that count, by files or as ``messages``, each once and with its moment."""
    newest: dict[str, dict[str, Any]] = {}
    for record in (*records(folder, "clicks/day=*/*.jsonl*"), *map(dict, messages)):
        if record.get("event_id"):
            newest[record["event_id"]] = record
    found = []
    for record in newest.values():
        at = moment(record.get("ts"))
        if at and record.get("event_type") in _TYPES and (record.get("user_id") or record.get("session_id")):
            found.append({**record, "at": at})
    return found


def sessions(folder: Path, messages: Iterable[Mapping[str, Any]] = ()) -> dict[str, Row]:
    """By key of a session, as fct_click_features has it, what it comes to."""
    by_visitor: dict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
    for event in events(folder, messages):
        visitor = event.get("user_id") or f"session:{event['session_id']}"
        by_visitor[visitor, event.get("session_id")].append(event)
    found = {}
    for (visitor, session_id), own in by_visitor.items():
        own.sort(key=lambda event: (event["at"], event["event_id"]))
        for run in [own] if session_id else list(_runs(own)):
            began = run[0]["at"]
            number = session_id or f"~{(began - _EPOCH) // timedelta(milliseconds=1)}"
            found[f"{visitor}|{number}"] = _features(run)
    return found


def _runs(own: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    run = own[:1]
    for before, event in pairwise(own):
        if event["at"] - before["at"] > _SILENCE:
            yield run
            run = []
        run.append(event)
    yield run


def _features(run: list[dict[str, Any]]) -> Row:
    first, kinds = run[0], [event["event_type"] for event in run]
    domain = dict(REFERRERS).get(first.get("referrer")) or "direct"
    device = dict(DEVICES).get(first.get("device")) if first.get("device") else None
    category = device or next(kind for agent, kind, _ in AGENTS if agent == first.get("user_agent"))
    robot = any(next(bot for agent, _, bot in AGENTS if agent == event.get("user_agent")) for event in run)
    seconds = (run[-1]["at"] - first["at"]) // timedelta(seconds=1)
    counts = tuple(kinds.count(kind) for kind in _TYPES)
    day = first["at"].date()
    return (
        day,
        first["at"],
        run[-1]["at"],
        seconds,
        len(run),
        *counts,
        first["url"],
        domain,
        category,
        robot,
        len(run) == 1,
    )


def funnel(folder: Path, messages: Iterable[Mapping[str, Any]] = ()) -> dict[tuple[date, str, str], Row]:
    """By day, device and referrer, as click_funnel_daily has it."""
    found: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for row in sessions(folder, messages).values():
        day, _, _, _, _, views, carts, checkouts, purchases, _, domain, category, robot, bounce = row
        if not robot:
            reached = (1, views > 0, carts > 0, checkouts > 0, purchases > 0, bounce)
            group = found[day, category, domain]
            group[:] = [before + bool(now) for before, now in zip(group, reached, strict=True)]
    return {key: (*counts, counts[4] / counts[0]) for key, counts in found.items()}


def startups(folder: Path, currency: str, pseudonym_key: bytes) -> dict[tuple[str, datetime], Row]:
    """By company and beginning, as dim_startup has it."""
    newest: dict[tuple[str, datetime], dict[str, Any]] = {}
    for record in records(folder, "startups/*.jsonl"):
        at = moment(record.get("updated_at"))
        if record.get("startup_id") and at:
            newest[record["startup_id"], at] = record
    good = {key: record for key, record in newest.items() if re.fullmatch(r"\d+", str(record["founded"]))}
    by_company: dict[str, list[datetime]] = defaultdict(list)
    for company, at in sorted(good):
        by_company[company].append(at)
    found = {}
    for (company, at), record in good.items():
        later = [moment for moment in by_company[company] if moment > at]
        found[company, at] = (*_version(record, currency, pseudonym_key), later[0] if later else None, not later)
    return found


def _version(record: Mapping[str, Any], currency: str, pseudonym_key: bytes) -> Row:
    stage = re.sub(r"[ _-]+", " ", record["stage"]).lower() if record.get("stage") else None
    raised, worth = (
        _converted(record.get(name), record.get("currency"), currency) for name in ("amount_raised", "valuation")
    )
    bucket = "unknown" if worth is None else next((name for low, name in _BOUNDS if worth >= low), "below 1 million")
    contact = hmac.new(pseudonym_key, record["contact_email"].encode(), hashlib.sha256).hexdigest()
    active = {"true": True, "false": False}.get(str(record.get("is_active")).lower())
    employees = None if record.get("employees") is None else int(record["employees"])
    return (
        record["name"].strip(), int(record["founded"]), record["country"], stage, _SCORES.get(stage or "", 0), raised, worth,
        bucket, employees, contact, active,
    )  # fmt: skip


def _converted(amount: Any, currency: str | None, reporting: str) -> Decimal | None:
    if amount is None or currency not in _RATES:
        return None
    try:
        exact = Decimal(str(amount)) * Decimal(_RATES[reporting]) / Decimal(_RATES[currency])
    except InvalidOperation:
        return None
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
