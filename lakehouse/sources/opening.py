"""Opening a source of any kind: its kind is the name of a folder beside this file."""

import importlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

from lakehouse.model import SourceSettings
from lakehouse.sources.reader import Session


@dataclass(frozen=True)
class Followed:
    """A relation that is read by its cursor (as the registry spells it), so that its floor is wanted."""

    relation: str
    cursor: str


def opened(name: str, source: SourceSettings, followed: Collection[Followed] = ()) -> AbstractContextManager[Session]:
    """Source ``name`` of the profile for the time of a run.

    Raises:
        SourceUnavailableError: it does not answer.
        SourceError: it refuses.
    """
    module = importlib.import_module(f"lakehouse.sources.{source.type}.source")
    return cast(AbstractContextManager[Session], module.opened(name, source, followed))
