"""A project of one's own: the engine installed from its wheel, far from the checkout, and the README that init writes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyspark
import pytest
import yaml

from lakehouse.jars import cache_folder
from tests.conftest import ROOT
from tests.e2e.guide import Block, blocks, follow
from tests.integration.endpoints import PostgresEndpoint
from tests.jvm import COMPILE_FAST

_OF_THE_CHECKOUT = ("PYTHONPATH", "VIRTUAL_ENV", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "PYTEST_ADDOPTS")


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that no project is above of: tmp_path is in the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder).resolve()


@pytest.fixture
def wheel(outside: Path) -> Path:
    """The engine's wheel, built without a network from what a build needs and nothing else."""
    source = outside / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lakehouse", source / "lakehouse", symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "spark-defaults.conf"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", outside / "built", source], check=True, stdout=sys.stderr)
    shutil.rmtree(source)
    (found,) = (outside / "built").glob("lakehouse-*.whl")
    return found


@pytest.fixture
def environment(wheel: Path, outside: Path) -> dict[str, str]:
    """A shell in which the wheel, and no checkout, is the engine.

    The dependencies are those that are locked: a line of a .pth file shows the packages beside the checkout's engine to
    a new environment. Such a line does not make Python read the .pth file of the checkout's engine, so that one cannot
    be imported. Jars come from this machine's cache, and no package from an index.
    """
    venv = outside / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{Path(pyspark.__file__).parents[1]}\n")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_THE_CHECKOUT and not name.startswith(("LAKEHOUSE_", "APP_PG_"))
    }
    home = outside / "home"
    home.mkdir()
    found = kept | {
        "PATH": f"{venv / 'bin'}:{kept['PATH']}",
        "HOME": str(home),
        "LAKEHOUSE_CACHE": str(cache_folder()),
        "PIP_NO_INDEX": "1",
        "SPARK_SUBMIT_OPTS": COMPILE_FAST,
    }
    where = ["-c", "import lakehouse; print(lakehouse.__file__)"]
    before = subprocess.run([python, *where], env=found, cwd=home, capture_output=True, text=True, check=False)
    assert "No module named 'lakehouse'" in before.stderr
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], env=found, check=True)
    after = subprocess.run([python, *where], env=found, cwd=home, capture_output=True, text=True, check=True)
    assert Path(after.stdout.strip()) == packages / "lakehouse" / "__init__.py"
    return found


@pytest.fixture
def orders(app_database: PostgresEndpoint) -> Iterator[PostgresEndpoint]:
    """A database with the table that the project's README takes for an example."""
    with app_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.orders (id int PRIMARY KEY, amount numeric(9,2), created_at timestamptz)")
        cursor.execute(
            "INSERT INTO public.orders VALUES (1, 9.5, '2026-03-01 08:00+00'), (2, 1, '2026-03-01 23:59+00'),"
            " (3, 20, '2026-03-02 00:00+00')"
        )
    yield app_database
    with app_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE public.orders")


def test_a_project_of_one_s_own_lives_by_the_wheel(
    wheel: Path, environment: dict[str, str], orders: PostgresEndpoint, outside: Path
) -> None:
    beginning, project = outside / "work", outside / "work" / "my_lake"
    beginning.mkdir()
    refused = subprocess.run(
        ["lakehouse", "plan"], env=environment, cwd=beginning, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "lakehouse init" in refused.stderr) == (2, True), refused.stderr
    follow([Block("sh", "lakehouse init my_lake", 1)], beginning, environment)
    _write_env(project / ".env", orders)

    follow(blocks((project / "README.md").read_text()), project, environment)
    with duckdb.connect(str(project / ".lakehouse" / "analytics.duckdb"), read_only=True) as analytics:
        found = analytics.execute("FROM orders_by_day ORDER BY date").fetchall()
    assert found == [(date(2026, 3, 1), 2), (date(2026, 3, 2), 1)]

    clone = outside / "clone"
    shutil.copytree(project, clone, ignore=shutil.ignore_patterns(".env", ".lakehouse", ".pytest_cache", "__pycache__"))
    (clone / "wheels").mkdir()
    shutil.copy(wheel, clone / "wheels")
    steps = yaml.safe_load((clone / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["check"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert {"lakehouse plan", "python -m pytest"} <= set(commands)
    follow([Block("sh", command, number) for number, command in enumerate(commands)], clone, environment)


def _write_env(path: Path, database: PostgresEndpoint) -> None:
    """Say where the PostgreSQL is, in the place of the lines that `lakehouse init` wrote for it."""
    kept = [line for line in path.read_text().splitlines() if not line.startswith("APP_PG_")]
    assert any(line.startswith("LAKEHOUSE_PSEUDONYM_KEY=") for line in kept)
    said = {
        "HOST": database.host,
        "PORT": database.port,
        "DATABASE": database.database,
        "USER": database.reader,
        "PASSWORD": database.reader_password,
    }
    path.write_text("\n".join([*kept, *(f"APP_PG_{name}={value}" for name, value in said.items())]) + "\n")
