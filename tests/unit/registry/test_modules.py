"""Domains are packages: their modules import each other relatively, and what one of them runs is known."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import ConfigurationError
from lakehouse.registry import loader
from lakehouse.registry.transformers import Transformer
from lakehouse.rules import RULES
from lakehouse.testing import local_frame

USERS = "source: {connection: app, relation: public.users}\n"
TOP = """from pyspark.sql import functions as F
from lakehouse.transformer import transformer
{imports}
@transformer(table="top", reads={{"users": "silver.users"}})
def top(users):
    {inside}return users.withColumn("found", {value})
"""


def top(imports: str = "", value: str = "F.lit(1)", inside: str = "") -> str:
    return TOP.format(imports=imports, value=value, inside=inside)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, {"shop/users.yml": USERS})
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def loaded(folder: Path, **files: str) -> Transformer:
    """The transformer of ``top`` after ``files`` of the domain were written."""
    write(folder, {f"shop/{name}.py": text for name, text in files.items()})
    return loader.load(folder).transformers["top"]


def found(transformer: Transformer, spark: SparkSession) -> Any:
    users = local_frame(spark, [(1,)], "id int")
    return transformer.function(users=users).collect()[0]["found"]


def refused(folder: Path, **files: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, **files)
    return str(caught.value).replace(str(folder), "")


@pytest.mark.parametrize(
    ("imports", "value", "files"),
    [
        ("from .helper import VALUE", "F.lit(VALUE)", {"helper": "VALUE = 7"}),
        ("from . import helper", "F.lit(helper.VALUE)", {"helper": "VALUE = 7"}),
        ("from .helper import *", "F.lit(VALUE)", {"helper": "VALUE = 7"}),
        ("from .helper import VALUE", "F.lit(VALUE)", {"helper": "from ._deeper import VALUE", "_deeper": "VALUE = 7"}),
        ("from .deep.helper import VALUE", "F.lit(VALUE)", {"deep/helper": "from ..base import VALUE", "base": "VALUE = 7"}),
        ("from .deep import V", "F.lit(V)", {"deep/__init__": "from .helper import V", "deep/helper": "V = 7"}),
        ("from ..other.helper import VALUE", "F.lit(VALUE)", {"../other/helper": "VALUE = 7"}),
        ("from . import deep", "F.lit(deep.VALUE)", {"deep/__init__": "VALUE = 7"}),
        ("import json, calendar", "F.lit(7)", {"calendar": "VALUE = 0"}),
    ],
)  # fmt: skip
def test_modules_import_their_neighbours_relatively(
    folder: Path, spark: SparkSession, imports: str, value: str, files: dict[str, str]
) -> None:
    assert found(loaded(folder, top=top(imports, value), **files), spark) == 7


def test_an_import_inside_a_function_works_when_it_runs(folder: Path, spark: SparkSession) -> None:
    made = loaded(folder, top=top(inside="from ._late import VALUE; ", value="F.lit(VALUE)"), _late="VALUE = 7")
    assert found(made, spark) == 7


def test_modules_may_import_each_other(folder: Path, spark: SparkSession) -> None:
    one = "from . import two\nVALUE = 7\n"
    two = "from . import one\ndef value():\n    return one.VALUE\n"
    assert found(loaded(folder, top=top("from .two import value", "F.lit(value())"), one=one, two=two), spark) == 7


def test_two_registries_do_not_meet_and_nothing_else_is_touched(folder: Path, spark: SparkSession) -> None:
    before, modules = list(sys.path), set(sys.modules)
    files = {"top": top("from .helper import VALUE", "F.lit(VALUE)")}
    write(folder, {"../other/shop/users.yml": USERS})
    first = loaded(folder, **files, helper="VALUE = 1")
    second = loaded(folder.parent / "other", **files, helper="VALUE = 2")
    assert (found(first, spark), found(second, spark)) == (1, 2)
    assert sys.path == before
    new = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - modules}
    of_registries = {name for name, file in new.items() if Path(file).is_relative_to(folder.parent)}
    assert {name.partition(".")[0].rpartition("_")[0] for name in of_registries} == {"lakehouse_registry"}


def test_a_folder_that_is_loaded_again_is_read_again(folder: Path, spark: SparkSession) -> None:
    files = {"top": top("from .helper import VALUE", "F.lit(VALUE)")}
    first = loaded(folder, **files, helper="VALUE = 1")
    second = loaded(folder, helper="VALUE = 2")  # as many bytes, within the same second
    assert (found(first, spark), found(second, spark)) == (1, 2)
    assert first.definition != second.definition


def test_what_a_module_registers_is_its_own_whoever_imports_it_first(folder: Path) -> None:
    other = top().replace('"top"', '"other"')
    maker = "from lakehouse.transformer import transformer\ndef made(table):\n"
    maker += (
        '    @transformer(table=table, reads={"users": "silver.users"})\n    def it(users):\n        return users\n'
    )
    loaded(
        folder,
        a="from .other import top",
        top=top(),
        other=other,
        maker=maker,
        b="from .maker import made\nmade('by_b')",
    )
    assert set(loader.load(folder).transformers) == {"top", "other", "by_b"}


def test_a_function_of_the_registry_runs_on_executors(folder: Path, spark: SparkSession) -> None:
    code = top("from .helper import double", "F.udf(double, 'int')('id')")
    helper = "FACTOR = 2\ndef double(value):\n    return FACTOR * value\n"
    assert found(loaded(folder, top=code, helper=helper), spark) == 2


HELPERS = {
    "a helper": ("from .helper import value", "value()", "def value():\n    return F.lit({})"),
    "a helper by its module": ("from . import helper", "helper.value()", "def value():\n    return F.lit({})"),
    "a constant": ("from .helper import LIMIT", "F.lit(LIMIT)", "LIMIT = {}"),
    "a constant, renamed": ("from .helper import LIMIT as most", "F.lit(most)", "LIMIT = {}"),
}


@pytest.mark.parametrize("way", HELPERS)
def test_a_definition_changes_with_what_it_imports(folder: Path, way: str) -> None:
    imports, value, helper = HELPERS[way]
    first = loaded(folder, top=top(imports, value), helper=helper.format(1)).definition
    assert loaded(folder).definition == first
    assert loaded(folder, helper=helper.format(2)).definition != first


@pytest.mark.parametrize(
    "files",
    [
        {"helper": "from .deeper import LIMIT", "deeper": "LIMIT = {}"},
        {"helper": "from . import deeper\nLIMIT = 3", "deeper": "LIMIT = {}"},
        {"helper": "LIMIT = 3\ndef f():\n    from .deeper import LIMIT", "deeper": "LIMIT = {}"},
        {"helper": "from .deep.er import LIMIT", "deep/er": "LIMIT = 1", "deep/__init__": "X = {}"},
        {"helper": "from ..other.deeper import LIMIT", "../other/deeper": "LIMIT = {}"},
        {"helper": "LIMIT = 1", "__init__": "X = {}"},
    ],
    ids=["deeper", "only imported", "in a function", "a package", "of another domain", "the domain's package"],
)
def test_a_definition_changes_with_what_is_imported_at_any_remove(folder: Path, files: dict[str, str]) -> None:
    code = top("from .helper import LIMIT", "F.lit(LIMIT)")
    first = loaded(folder, top=code, **{name: text.replace("{}", "1") for name, text in files.items()}).definition
    assert loaded(folder, **{name: text.replace("{}", "2") for name, text in files.items()}).definition != first


def test_an_import_in_the_transformer_s_function_counts(folder: Path) -> None:
    code = top(inside="from .helper import LIMIT; ", value="F.lit(LIMIT)")
    first = loaded(folder, top=code, helper="LIMIT = 1").definition
    assert loaded(folder, helper="LIMIT = 2").definition != first


def test_a_definition_stays_when_the_folder_moves_or_other_modules_change(folder: Path) -> None:
    code = top("from .helper import LIMIT", "F.lit(LIMIT)")
    first = loaded(folder, top=code, helper="LIMIT = 1", unused="X = 1").definition
    assert loaded(folder, unused="X = 2").definition == first
    write(folder, {"../moved/shop/users.yml": USERS})
    assert loaded(folder.parent / "moved", top=code, helper="LIMIT = 1").definition == first


def test_a_definition_changes_with_its_references_and_the_rules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = top().replace("def top(users):", "def top(users, *, kinds):")
    write(folder, {"shop/references/kinds.csv": "kind\na\n", "shop/references/others.csv": "kind\na\n"})
    first = loaded(folder, top=code).definition
    write(folder, {"shop/references/others.csv": "kind\nb\n"})
    assert loaded(folder).definition == first
    monkeypatch.setattr("lakehouse.registry.loader.RULES", RULES + 1)
    assert loaded(folder).definition != first
    monkeypatch.undo()
    write(folder, {"shop/references/kinds.csv": "kind\nb\n"})
    assert loaded(folder).definition != first


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import helper", "Write `from . import helper`."),
        ("import helper as h", "Write `from . import helper as h`."),
        ("from helper import VALUE as v, other", "Write `from .helper import VALUE as v, other`."),
        ("import deep.inner", "Write `from .deep import inner`."),
        ("from shop.helper import VALUE", "Write `from .helper import VALUE`."),
        ("from other.far import VALUE", "Write `from ..other.far import VALUE`."),
        ("from mine.other import far", "Write `from ..other import far`."),
    ],
)
def test_a_neighbour_imported_by_a_bare_name_is_refused_with_what_to_write(
    tmp_path: Path, imports: str, expected: str
) -> None:
    write(tmp_path, {"mine/shop/users.yml": USERS, "mine/shop/deep/inner.py": "", "mine/other/far.py": ""})
    message = refused(tmp_path / "mine", top=top(imports), helper="VALUE = 1")
    assert message.startswith(f"/shop/top.py:3: `{imports}` imports a neighbour as if it were installed; expected a")
    assert message.endswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "from .helpr import VALUE",
            "top.py:3: `from .helpr import VALUE`: there is no /shop/helpr.py. Did you mean 'helper'?",
        ),
        ("from . import helpr", "top.py:3: `from . import helpr`: there is no /shop/helpr.py. Did you mean 'helper'?"),
        (
            "from ...shop import helper",
            "top.py:3: `from ...shop import helper` leaves the registry folder ; expected a module",
        ),
        ("from .helper import LIMIT", "/shop/top.py:3: it cannot be imported: ImportError: cannot import name 'LIMIT'"),
        (
            "import nothing_like_it",
            "top.py:3: it cannot be imported: ModuleNotFoundError: No module named 'nothing_like_it'.",
        ),
        ("x = 1 / 0", "top.py:3: it cannot be imported: ZeroDivisionError: division by zero."),
        ("x = {}['missing']", "top.py:3: it cannot be imported: KeyError: 'missing'."),
        ("raise SystemExit(3)", "top.py:3: it cannot be imported: SystemExit: 3."),
        ("assert not users, 'why'", "top.py:3: it cannot be imported: NameError: name 'users' is not defined."),
        ("assert 1 > 2", "top.py:3: it cannot be imported: AssertionError."),
        ("transformer(reads={})", "TypeError: transformer() missing 1 required keyword-only argument: 'table'."),
        (
            "import importlib; importlib.import_module('.' + 'n', __package__)",
            "top.py:3: it cannot be imported: ModuleNot",
        ),
        ("x = (", "top.py:3: it cannot be imported: SyntaxError: '(' was never closed."),
        ("return 1", "top.py:3: it cannot be imported: SyntaxError: 'return' outside function."),
        (
            "from lakehouse.paths import gold; gold('No')",
            "top.py:3: it cannot be imported: ConfigurationError: a table of",
        ),
    ],
)
def test_what_fails_at_import_is_named_with_file_line_and_class(folder: Path, text: str, expected: str) -> None:
    assert expected in refused(folder, top=top(text), helper="VALUE = 1")


def test_a_column_at_import_is_explained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
    message = refused(folder, top=top("ONE = F.lit(1)"))
    assert (
        "/shop/top.py:3: it cannot be imported: AssertionError. A column is made when the module is imported" in message
    )


def test_what_fails_in_a_helper_is_told_once_with_the_helper_s_line(folder: Path) -> None:
    message = refused(
        folder, top=top("from .helper import VALUE"), b="from . import helper", helper="\nVALUE = 1 / 0\n"
    )
    assert message == "/shop/helper.py:2: it cannot be imported: ZeroDivisionError: division by zero."


def test_a_domain_named_like_an_installed_package_is_no_trap(folder: Path) -> None:
    write(folder, {"json/helper.py": "VALUE = 1"})
    assert loaded(folder, top=top("from json import dumps")).table == "top"


def test_frames_are_untouched(folder: Path, spark: SparkSession) -> None:
    assert isinstance(loaded(folder, top=top()).function(users=spark.range(1)), DataFrame)
