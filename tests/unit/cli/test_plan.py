"""`lakehouse plan` on a lake that is not there yet."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Lakehouse


def _register(root: Path) -> None:
    (root / "registry" / "shop").mkdir()
    (root / "registry" / "shop" / "coupons.yml").write_text("source: {connection: app, relation: public.coupons}\n")


def test_an_empty_registry_changes_nothing(lakehouse: Lakehouse) -> None:
    done = lakehouse("plan", "--exit-code")
    assert (done.exit_code, done.stdout) == (0, "nothing would change\n")


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--exit-code"], 5)])
def test_changes_are_shown_and_told_by_the_code_on_request(
    lakehouse: Lakehouse, root: Path, arguments: list[str], code: int
) -> None:
    _register(root)
    assert "raw.coupons" in lakehouse("plan").stdout
    done = lakehouse("plan", "--json", *arguments)
    assert done.exit_code == code
    first = json.loads(done.stdout.splitlines()[0])
    assert first == {
        "event": "change",
        "table": "raw.coupons",
        "kind": "new",
        "detail": "loaded from app: public.coupons",
    }
