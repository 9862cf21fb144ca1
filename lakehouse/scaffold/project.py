"""A project of one's own: a folder with a profile, a registry with one gold table and its test, and what CI runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from types import MappingProxyType

_TEMPLATES = package_files("lakehouse") / "scaffold" / "templates"
_KEY = "LAKEHOUSE_PSEUDONYM_KEY=change-me"

#: file of the project: its template. Templates have no names of hidden files, which would have an effect where they lie.
_FILES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "README.md",
        "conf/embedded.yml": "embedded.yml",
        "registry/common/calendar.sql": "calendar.sql",
        "tests/conftest.py": "conftest.py",
        "tests/unit/registry_common/test_calendar.py": "test_calendar.py",
        "spark-defaults.conf": "spark-defaults.conf",
        "pytest.ini": "pytest.ini",
        "requirements.txt": "requirements.txt",
        ".env.example": "env.example",
        ".gitignore": "gitignore",
        ".github/workflows/ci.yml": "ci.yml",
    }
)


@dataclass(frozen=True)
class ProjectFile:
    """A file to write; ``private`` ones hold secrets, and only their owner may read them."""

    text: str
    private: bool = False


def project(name: str, version: str, pseudonym_key: str) -> dict[str, ProjectFile]:
    """The files of a new project, by their path in its folder.

    Args:
        name: what its README calls it.
        version: of the engine, for the name of its wheel.
        pseudonym_key: for ``.env``, and for no other file.
    """
    texts = {path: _template(template) for path, template in _FILES.items()}
    texts["README.md"] = texts["README.md"].replace("{{project}}", name)
    texts["requirements.txt"] = texts["requirements.txt"].replace("{{version}}", version)
    found = {path: ProjectFile(text) for path, text in texts.items()}
    secret = texts[".env.example"].replace(_KEY, _KEY.replace("change-me", pseudonym_key))
    return found | {".env": ProjectFile(secret, private=True)}


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
