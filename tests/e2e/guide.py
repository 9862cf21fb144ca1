"""Reads a guide and follows it: every fenced block is a command that is run, or something that must come true.

- ``sh`` is run by bash, and ends with 0 or with the code in ``# exit code N``; any command of it that fails ends it.
- ``text`` is the whole of what the commands right before it printed; a line ``…`` stands for any lines.
- ``yaml``, ``sql`` and ``python`` begin with a comment that names a file. It is written, or, ``as it was written``,
  must hold just that.

Durations, run ids and pseudonyms are other ones each time, and are compared as such; logs of Spark are left out.
"""

import difflib
import os
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

_FENCE = re.compile(r"\s*(?:```|~~~)")
_FILES = {"yaml": "#", "sql": "--", "python": "#"}
_KINDS = {"sh", "text", *_FILES}
_NAMED = re.compile(r"(?:#|--|-- #) (?P<path>\S+\.\w+)(?P<made>, as it was written)?")
_CODE = re.compile(r"# exit code (\d+)$", re.MULTILINE)
_COMMENT = re.compile(r"\s+#.*$")
_ANY_LINES = "…"
_SPARK_LOG = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (?:INFO|WARN|ERROR) ")
_NEVER_ALIKE = {
    re.compile(r"\b\d+\.\d+ ?s\b"): "<seconds>",
    re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b"): "<run>",
    re.compile(r"\b[0-9a-f]{12}\b"): "<pseudonym>",
}


class GuideError(AssertionError):
    """The guide says something else than what is."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, its content, and the line of the guide at which it begins."""

    kind: str
    text: str
    line: int


def blocks(markdown: str, shown: Collection[str] = ()) -> list[Block]:
    """The blocks of a guide, in order.

    Args:
        shown: further kinds, which are there to be read; the empty one is a fence without a kind.

    Raises:
        GuideError: a fence of a kind that is not known, one that does not end, or code that no fence holds.
    """
    found: list[Block] = []
    opened: tuple[str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(markdown.splitlines(), start=1):
        if opened is not None and line != "```":
            lines.append(line)
        elif opened is not None:
            found.append(Block(opened[0], "\n".join(lines), opened[1]))
            opened = None
        elif _FENCE.match(line):
            kind = line.removeprefix("```")
            if kind not in {*_KINDS, *shown}:
                raise GuideError(f"line {number}: fence {line!r}; expected ``` and one of {', '.join(sorted(_KINDS))}")
            opened, lines = (kind, number), []
        elif line.startswith(("    ", "\t")):
            raise GuideError(f"line {number}: {line!r} is code without a fence")
    if opened is not None:
        raise GuideError(f"line {opened[1]}: the block does not end")
    return found


def names_a_file(block: Block) -> bool:
    """Whether ``block`` is the content of a file that it names."""
    return block.kind in _FILES and _NAMED.fullmatch(block.text.partition("\n")[0]) is not None


def without(found: Iterable[Block], left_out: Mapping[str, str]) -> list[Block]:
    """The blocks without the lines of ``sh`` whose command is in ``left_out``, where each has its reason.

    Raises:
        GuideError: a command that is left out is in no block.
    """
    kept, met = [], set()
    for block in found:
        lines = block.text.splitlines()
        commands = [_COMMENT.sub("", line) for line in lines] if block.kind == "sh" else []
        met |= left_out.keys() & set(commands)
        if commands:
            lines = [line for line, command in zip(lines, commands, strict=True) if command not in left_out]
        if lines:
            kept.append(replace(block, text="\n".join(lines)))
    if gone := left_out.keys() - met:
        raise GuideError(f"left out, but in no block: {', '.join(sorted(gone))}")
    return kept


def follow(found: Iterable[Block], folder: Path, environment: Mapping[str, str]) -> None:
    """Do what the blocks say, in ``folder``.

    Raises:
        GuideError: a block does not come true.
    """
    shell, printed = _Shell(folder, environment), None
    for block in found:
        try:
            if block.kind == "sh":
                printed = shell.run(block.text)
                continue
            if block.kind == "text":
                _compare(block.text, printed, folder)
            else:
                _file(block.text, folder)
            printed = None
        except GuideError as error:
            raise GuideError(f"line {block.line}: {error}") from None


class _Shell:
    """Runs scripts one after the other; each finds the variables as the one before left them."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)

    def run(self, script: str) -> str:
        """Run ``script`` and return what it printed, to both streams."""
        left = self._folder / ".variables"
        done = subprocess.run(
            ["bash", "-e", "-c", f'{script}\nenv -0 > "{left}"'],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        expected = int((_CODE.findall(script) or ["0"])[-1])
        if done.returncode != expected:
            raise GuideError(f"it ended with {done.returncode}; expected {expected}\n{script}\n{done.stdout[-6000:]}")
        if not done.returncode:
            entries = os.fsdecode(left.read_bytes()).split("\0")
            self._environment = dict(entry.split("=", 1) for entry in entries if entry)
        return done.stdout


def _file(text: str, folder: Path) -> None:
    head, _, content = text.partition("\n")
    named = _NAMED.fullmatch(head)
    if named is None:
        raise GuideError(f"{head!r} names no file; expected a comment like `# registry/shop/coupons.yml`")
    path = folder / named["path"]
    if named["made"]:
        if not path.exists():
            raise GuideError(f"no command wrote {named['path']}")
        _same(content, path.read_text(encoding="utf-8"))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n", encoding="utf-8")


def _compare(expected: str, printed: str | None, folder: Path) -> None:
    if printed is None:
        raise GuideError("output without commands right before it")
    kept = [line for line in printed.splitlines() if not _SPARK_LOG.match(line)]
    for path in {str(folder), str(folder.resolve())}:
        kept = [line.replace(path, _ANY_LINES) for line in kept]
    _same(expected, "\n".join(kept))


def _same(expected: str, found: str) -> None:
    wanted, got = _comparable(expected), _comparable(found)
    pattern = "".join(r"(?:.*\n)*" if line == _ANY_LINES else re.escape(line) + r"\n" for line in wanted)
    if not re.fullmatch(pattern, "".join(f"{line}\n" for line in got)):
        raise GuideError("the guide (-) and what is (+) differ:\n" + "\n".join(difflib.ndiff(wanted, got)))


def _comparable(text: str) -> list[str]:
    for pattern, name in _NEVER_ALIKE.items():
        text = pattern.sub(name, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]
