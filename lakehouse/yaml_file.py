"""YAML that becomes pydantic models, with errors that name file, line, what is wrong and what would be right."""

import difflib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lakehouse.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)
_KEY = "[key]"  # pydantic's last step to a key that is wrong itself


@cache
def _fast_parser() -> YAML:
    """The parser for the good case: C where it is there. It knows no lines; a bad file is parsed again for those."""
    return YAML(typ="safe")


def read(path: Path) -> dict[str, Any]:
    """The mapping in the file at ``path``; :class:`ConfigurationError` when it is not one mapping."""
    return _mapping(path, path)


def parse(text: str, path: Path) -> dict[str, Any]:
    """The mapping in ``text``, with which the file at ``path`` begins; :class:`ConfigurationError` as of :func:`read`."""
    return _mapping(text, path)


def _mapping(yaml: Path | str, path: Path) -> dict[str, Any]:
    try:
        content = _fast_parser().load(yaml)
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: there is no such file.") from error
    except DuplicateKeyError as error:
        raise ConfigurationError(
            f"{path}:{_line(error)}: {(error.problem or '').split(' with value')[0]}.", remedy="Keep one of the two."
        ) from error
    except YAMLError as error:
        problem = error.problem if isinstance(error, MarkedYAMLError) else str(error)
        raise ConfigurationError(f"{path}:{_line(error)}: not valid YAML: {problem}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path}:1: found a {type(content).__name__}, expected a mapping (`key: value` lines)."
        )
    return content


def validate(model: type[Model], content: dict[str, Any], path: Path, text: str | None = None) -> Model:
    """``content``, which was read from ``path``, as a ``model``.

    Args:
        text: the YAML with which the file begins, where it is not the whole of it.

    Raises:
        ConfigurationError: names each mistake by file and line, with what was expected.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = YAML(typ="rt").load(text) if text is not None else YAML(typ="rt").load(path) if path.exists() else None
        told = mistakes(model, error, lambda location: f"{path}:{line_of(lines, location)}: ")
        raise ConfigurationError("\n".join(told)) from None


def mistakes(model: type[BaseModel], error: ValidationError, where: Callable[[Sequence[str | int]], str]) -> list[str]:
    """What ``error`` says is wrong with what was to become a ``model``.

    Args:
        where: what a mistake at a location (keys and list positions) begins with.
    """
    return [f"{where(detail['loc'])}{_described(detail, model)}" for detail in error.errors(include_url=False)]


def _line(error: YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def line_of(lines: Any, location: Sequence[str | int]) -> int:
    """The 1-based line at which ``location`` (keys and list positions) begins; its nearest ancestor's otherwise."""
    line = 1
    node = lines
    for step in location:
        position = getattr(node, "lc", None)
        if position is None:
            break
        try:
            if isinstance(node, dict):
                if step not in node:
                    continue  # a tag of a union, which pydantic puts into the location
                line = position.key(step)[0] + 1
            else:
                line = position.item(step)[0] + 1
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
    return line


def _described(detail: ErrorDetails, model: type[BaseModel]) -> str:
    location = detail["loc"]
    where = ".".join(str(step) for step in location if step != _KEY)
    if detail["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else f" Known keys: {', '.join(sorted(known))}." if known else ""
        return f"unknown key {location[-1]!r}.{hint}"
    if detail["type"] == "missing":
        return f"key {where!r} is missing."
    message = detail["msg"].removeprefix("Value error, ").rstrip(".")
    found = "" if detail["type"].startswith("value_error") else f" (found {detail['input']!r})"
    end = "" if f"{message}{found}".endswith("?") else "."
    return f"{where}: {message}{found}{end}" if where else f"{message}{found}{end}"


def _known_keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys that the model at ``location`` takes; empty where the way there is not through plain models."""
    current: Any = model
    for step in location:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            break
        field = current.model_fields.get(str(step))
        if field is None:
            continue
        current = field.annotation
    candidates = [current, *getattr(current, "__args__", ())]
    for candidate in candidates:
        arguments = [candidate, *getattr(candidate, "__args__", ())]
        for argument in arguments:
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                return [field.alias or name for name, field in argument.model_fields.items()]
    return []
