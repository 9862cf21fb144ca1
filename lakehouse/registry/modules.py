"""The Python of a registry folder: a package for the folder and one for each domain in it.

The packages are called after a fingerprint of the folder's path, so that two registries in one process do not meet. A
module imports its neighbours relatively (``from .versions import BEGINNING``). What is read here is what is executed, and
what :meth:`Modules.code` gives: no bytecode is kept, and nothing below the folder is found in another way.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType, TracebackType

from pyspark import cloudpickle

from lakehouse.errors import ConfigurationError
from lakehouse.fingerprint import fingerprint
from lakehouse.registry.collecting import collecting
from lakehouse.registry.imports import Source, package_files, read

_BEFORE_SPARK = (
    " A column is made when the module is imported, before there is a Spark session; expected columns to be made inside "
    "functions."
)


class Modules(Loader):
    """The modules of one registry folder, as they stand now. Those of an earlier reading of the folder are forgotten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"lakehouse_registry_{fingerprint(str(folder.resolve()))}"
        self._sources: dict[Path, Source] = {}
        self._registered: dict[Path, list[object]] = {}
        for name in [name for name in sys.modules if name.partition(".")[0] == self._name]:
            del sys.modules[name]
        _Finder.known[self._name] = self
        if _Finder not in sys.meta_path:
            sys.meta_path.append(_Finder)

    def registered(self, path: Path) -> list[object]:
        """Import the module at ``path``; the transformers and models that it registers.

        Raises:
            ConfigurationError: it, or one that it imports, cannot be imported; the message has file and line of that.
        """
        name = ".".join([self._name, *path.relative_to(self._folder).with_suffix("").parts])
        try:
            self.code(path)
            whole = importlib.import_module(self._name)
            cloudpickle.register_pickle_by_value(whole)  # type: ignore[no-untyped-call]  # executors have no registry
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            if isinstance(error, ConfigurationError) and str(error).startswith(str(self._folder)):
                raise
            raise ConfigurationError(self._told(error, path)) from error
        return self._registered[path]

    def code(self, path: Path) -> list[Path]:
        """The files that run when the module at ``path`` does: its own, then those that it imports, at any remove.

        Imports count wherever they stand, in a function too, and whatever they import. One that is made from a text
        (``importlib``) is not seen.
        """
        found, waiting = {path}, [path]
        while waiting:
            file = waiting.pop()
            runs = {*package_files(file, self._folder), *self._source(file).imports}
            waiting += runs - found
            found |= runs
        return [path, *sorted(found - {path})]

    def text(self, path: Path) -> bytes:
        """What the file at ``path`` held when it was read."""
        return self._source(path).text

    def spec(self, name: str) -> ModuleSpec | None:
        """How the import system gets the module called ``name``; ``None`` where the folder has none."""
        place = self._folder.joinpath(*name.split(".")[1:])
        file = place.parent / f"{place.name}.py"
        if place != self._folder and file.is_file():
            return spec_from_file_location(name, file, loader=self)
        if not place.is_dir():
            return None
        package = ModuleSpec(name, self, is_package=True)  # it has no search path: Python's own finder would take over
        if (own := place / "__init__.py").is_file():
            package.origin, package.has_location = str(own), True
        return package

    def exec_module(self, module: ModuleType) -> None:
        """Execute ``module``; what it registers is its own, whoever imports it first."""
        if module.__spec__ is None or module.__spec__.origin is None:
            return  # a folder without a file of its own
        path = Path(module.__spec__.origin)
        code = compile(self._source(path).tree, path, "exec", dont_inherit=True)
        with collecting() as registered:
            exec(code, vars(module))
        self._registered[path] = registered

    def _source(self, path: Path) -> Source:
        if path not in self._sources:
            self._sources[path] = read(path, self._folder)
        return self._sources[path]

    def _told(self, error: BaseException, path: Path) -> str:
        if isinstance(error, SyntaxError) and error.filename:
            return f"{error.filename}:{error.lineno or 1}: it cannot be imported: {type(error).__name__}: {error.msg}."
        frames = [(Path(file), line) for file, line in _frames(error.__traceback__)]
        own = [(file, line) for file, line in frames if self._folder in file.parents] or [(path, 1)]
        said = f"{type(error).__name__}: {error}".rstrip(": .")
        hint = _BEFORE_SPARK if isinstance(error, AssertionError) and frames[-1] != own[-1] else ""
        return f"{own[-1][0]}:{own[-1][1]}: it cannot be imported: {said}.{hint}"


class _Finder:
    """Finds modules by the registry whose name they begin with."""

    known: dict[str, Modules] = {}  # noqa: RUF012

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        modules = cls.known.get(fullname.partition(".")[0])
        return modules.spec(fullname) if modules else None


def _frames(traceback: TracebackType | None) -> list[tuple[str, int]]:
    found = []
    while traceback is not None:
        found.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found
