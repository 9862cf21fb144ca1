"""The Python environment of what this project is compared with: dlt, and DuckDB with extensions that the project lacks."""

import os
import subprocess
import sys

from bench.common import say
from lakehouse.fingerprint import fingerprint
from scripts.services.settings import ROOT

_LOCK = ROOT / "bench" / "requirements.lock"


def python() -> str:
    """The Python of an environment with what bench/requirements.lock says, made when it is not there, or is another's."""
    folder = ROOT / ".lakehouse" / "bench-venv"
    made_of = folder / "made-of"
    lock = fingerprint(_LOCK.read_bytes())
    if not made_of.exists() or made_of.read_text() != lock:
        say("installing what is compared with (once)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(_LOCK)]
        subprocess.run([str(folder / "bin" / "python"), *install], check=True)
        made_of.write_text(lock)
    return str(folder / "bin" / "python")


def postgres_environment() -> dict[str, str]:
    """What libpq, and so DuckDB's extension, takes from the environment to reach the benchmark's PostgreSQL as reader."""
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": os.environ["LAKEHOUSE_PG_PORT"],
        "PGDATABASE": "app",
        "PGUSER": "lakehouse",
        "PGPASSWORD": os.environ["APP_PG_PASSWORD"],
    }
