"""What a module of a registry imports of its registry, found by parsing it."""

import ast
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import ConfigurationError, suggest


@dataclass(frozen=True)
class Source:
    """A module's text and tree, and the files of the registry that it imports."""

    text: bytes
    tree: ast.Module
    imports: tuple[Path, ...]


def read(path: Path, folder: Path) -> Source:
    """The module at ``path``, in the registry ``folder``.

    Raises:
        ConfigurationError: it is no Python, or it imports a neighbour by a bare name or one that is not there; each with
            file and line.
    """
    text = path.read_bytes()
    try:
        tree = ast.parse(text, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ConfigurationError(f"{path}:{line}: it cannot be imported: {type(error).__name__}: {message}.") from error
    imports: dict[Path, None] = {}
    mistakes: list[str] = []
    for node in ast.walk(tree):
        try:
            if isinstance(node, ast.ImportFrom) and node.level:
                imports |= dict.fromkeys(_imported(node, path, folder))
            elif isinstance(node, ast.Import | ast.ImportFrom):
                _check_no_neighbour(node, path, folder)
        except ConfigurationError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return Source(text, tree, tuple(imports))


def package_files(path: Path, folder: Path) -> list[Path]:
    """The ``__init__.py`` files that run before the module at ``path`` does."""
    packages = [parent for parent in path.parents if parent == folder or folder in parent.parents]
    return [file for package in packages if (file := package / "__init__.py").is_file() and file != path]


def _imported(node: ast.ImportFrom, path: Path, folder: Path) -> Iterator[Path]:
    """The files that a relative import names: modules, and a package's own file where a name may come from that."""
    package = path.parent
    for _ in range(node.level - 1):
        package = package.parent
    if package != folder and folder not in package.parents:
        raise ConfigurationError(
            f"{path}:{node.lineno}: `{ast.unparse(node)}` leaves the registry folder {folder}; expected a module in it."
        )
    place = package.joinpath(*(node.module or "").split("."))
    if node.module and (file := _file(place)).is_file():
        yield file
        return
    own = place / "__init__.py"
    if own.is_file():
        yield own
    for alias in node.names:
        if (file := _file(place / alias.name)).is_file():
            yield file
        elif (inner := place / alias.name / "__init__.py").is_file():
            yield inner
        elif not own.is_file() and not (place / alias.name).is_dir():
            wanted = _file(place if node.module and not place.is_dir() else place / alias.name)
            known = sorted(other.stem for other in wanted.parent.glob("*.py") if other != path)
            raise ConfigurationError(
                f"{path}:{node.lineno}: `{ast.unparse(node)}`: there is no {wanted}. {suggest(wanted.stem, known)}"
            )


def _check_no_neighbour(node: ast.Import | ast.ImportFrom, path: Path, folder: Path) -> None:
    """Refuse an absolute import of what stands in the registry: it would be found by accident, or not at all."""
    for name in [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]:
        top = name.partition(".")[0]
        bases = [path.parent, folder, *([folder.parent] if top == folder.name else [])]
        places = [base.joinpath(*name.split(".")) for base in bases]
        there = [place for place in places if _file(place).is_file() or (place.is_dir() and place != folder)]
        if there and not _is_elsewhere(top, folder):
            raise ConfigurationError(
                f"{path}:{node.lineno}: `{ast.unparse(node)}` imports a neighbour as if it were installed; expected a "
                "relative import, since a domain is a package.",
                remedy=f"Write `{_relative(node, name, there[0], path)}`.",
            )


def _is_elsewhere(name: str, folder: Path) -> bool:
    """Whether ``name`` is a module that is installed, or of Python itself, and not one of the registry."""
    if name in sys.stdlib_module_names:
        return True
    found = importlib.util.find_spec(name)
    named = [found.origin, *(found.submodule_search_locations or ())] if found else []
    places, own = [Path(place).resolve() for place in named if place], folder.resolve()
    return any(own not in (place, *place.parents) for place in places)


def _relative(node: ast.Import | ast.ImportFrom, name: str, place: Path, path: Path) -> str:
    """How ``node`` imports ``place`` relatively."""
    way = Path(os.path.relpath(place, path.parent)).parts
    level, steps = 1 + way.count(os.pardir), [step for step in way if step != os.pardir]
    if isinstance(node, ast.ImportFrom):
        return ast.unparse(ast.ImportFrom(".".join(steps), node.names, level))
    renamed = next(alias.asname for alias in node.names if alias.name == name)
    return ast.unparse(ast.ImportFrom(".".join(steps[:-1]) or None, [ast.alias(steps[-1], renamed)], level))


def _file(place: Path) -> Path:
    return place.parent / f"{place.name}.py"
