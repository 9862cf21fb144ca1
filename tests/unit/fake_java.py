"""A Java that resolves nothing: it answers as ``java -version`` does, and retrieves the jars that a test names."""

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import pathlib, sys
arguments = sys.argv[1:]
here = pathlib.Path(__file__).parent
if arguments == ["-version"]:
    sys.stderr.write('openjdk version "17.0.1"')
    sys.exit(0)
calls = here / "calls"
calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
ivy = pathlib.Path(arguments[arguments.index("-ivy") + 1])
(here / "ivy.xml").write_text(ivy.read_text())
folder = pathlib.Path(arguments[arguments.index("-retrieve") + 1]).parent
for name in {jars!r}:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
sys.stderr.write("module not found: " + "org.example")
sys.exit({code})
"""


class FakeJava:
    """A ``JAVA_HOME``.

    Attributes:
        home: its folder.
    """

    def __init__(self, home: Path, jars: tuple[str, ...] = ("a-1.jar", "b-2.jar"), code: int = 0) -> None:
        self.home = home
        program = home / "bin" / "java"
        program.parent.mkdir(parents=True)
        program.write_text(_PROGRAM.format(python=sys.executable, jars=jars, code=code))
        program.chmod(0o755)

    @property
    def calls(self) -> int:
        """How often it retrieved."""
        calls = self.home / "bin" / "calls"
        return len(calls.read_text()) if calls.exists() else 0

    @property
    def asked(self) -> str:
        """The Ivy file of the last retrieval."""
        return (self.home / "bin" / "ivy.xml").read_text()
