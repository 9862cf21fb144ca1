"""A folder with a profile `own` that needs no service, and the command to call on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lakehouse.cli.main import app

PASSWORD = "pass-of-the-source"
PROFILE = """
catalog: {type: jdbc, uri: 'jdbc:sqlite:${home}/none.db'}
analytics: ${home}/analytics.duckdb
lock: {type: file, path: '${home}/run.lock'}
sources:
  app: {type: postgres, host: 127.0.0.1, port: 1, database: app, user: reader, password: '${OWN_PASSWORD}'}
"""

Lakehouse = Callable[..., Result]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the project; its registry is empty."""
    for name in ("LAKEHOUSE_HOME", "LAKEHOUSE_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"ROOT": str(tmp_path), "PROFILE": "own"}.items():
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    monkeypatch.setenv("OWN_PASSWORD", PASSWORD)
    monkeypatch.setenv("COLUMNS", "120")
    for folder in ("conf", "registry", ".lakehouse"):
        (tmp_path / folder).mkdir()
    (tmp_path / "conf" / "own.yml").write_text(PROFILE)
    return tmp_path


@pytest.fixture
def lakehouse(root: Path) -> Lakehouse:
    """Calls `lakehouse` with arguments, and what stands on its standard input."""
    return lambda *arguments, stdin=None: CliRunner().invoke(app, list(arguments), input=stdin)
