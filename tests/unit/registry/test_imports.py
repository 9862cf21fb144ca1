"""What a module of a registry imports of its registry, by its text alone."""

from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.registry.imports import package_files, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry of two domains with helpers."""
    folder = tmp_path / "marts_of_ours"
    for name in ("shop/mart.py", "shop/helpers.py", "shop/parts/__init__.py", "shop/parts/sums.py", "common/days.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def imported(folder: Path, text: str) -> list[str]:
    """The files that ``shop/mart.py`` imports when it is this text."""
    path = folder / "shop" / "mart.py"
    path.write_text(text)
    return [str(file.relative_to(folder)) for file in read(path, folder).imports]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from .helpers import a", ["shop/helpers.py"]),
        ("from . import helpers", ["shop/helpers.py"]),
        ("from ..common.days import day", ["common/days.py"]),
        ("from ..common import days", ["common/days.py"]),
        ("from .parts import sums", ["shop/parts/__init__.py", "shop/parts/sums.py"]),
        ("from .parts.sums import a", ["shop/parts/sums.py"]),
        ("from . import parts", ["shop/parts/__init__.py"]),
        ("from .parts import a_name_of_the_package", ["shop/parts/__init__.py"]),
        ("def f():\n    from .helpers import a", ["shop/helpers.py"]),
        ("from .helpers import a\nfrom .helpers import b", ["shop/helpers.py"]),
        ("import json\nfrom pyspark.sql import functions as F", []),
        ("", []),
    ],
)
def test_relative_imports_name_files_and_others_are_not_the_registry_s(
    folder: Path, text: str, expected: list[str]
) -> None:
    assert imported(folder, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nfrom .helprs import a", "mart.py:2: `from .helprs import a`: there is no"),
        ("from .helprs import a", "Did you mean 'helpers'?"),
        ("from ...outside import a", "mart.py:1: `from ...outside import a` leaves the registry folder"),
        ("import helpers", "Write `from . import helpers`."),
        ("import helpers as h", "Write `from . import helpers as h`."),
        ("from helpers import a", "Write `from .helpers import a`."),
        ("from common.days import day", "Write `from ..common.days import day`."),
        ("from marts_of_ours.common.days import day", "Write `from ..common.days import day`."),
        ("x = (", "mart.py:1: it cannot be imported: SyntaxError"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_what_to_write(folder: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        imported(folder, text)
    assert expected in str(caught.value)


def test_all_mistakes_of_a_module_are_told_at_once(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        imported(folder, "import helpers\nfrom .nothing import a\n")
    for line in ("mart.py:1:", "mart.py:2:"):
        assert line in str(caught.value)


def test_a_module_of_python_is_no_neighbour_whatever_a_file_is_called(folder: Path) -> None:
    (folder / "shop" / "json.py").touch()
    assert imported(folder, "import json") == []


def test_the_files_of_packages_run_before_a_module_in_them(folder: Path) -> None:
    (folder / "shop" / "__init__.py").touch()
    own = folder / "shop" / "parts" / "__init__.py"
    assert package_files(folder / "shop" / "parts" / "sums.py", folder) == [own, folder / "shop" / "__init__.py"]
    assert package_files(own, folder) == [folder / "shop" / "__init__.py"]
    assert package_files(folder / "common" / "days.py", folder) == []
