"""What a registry file may say of how a collection is read."""

from collections.abc import Mapping
from typing import Literal

from pydantic import ValidationError

from lakehouse.errors import SourceError
from lakehouse.model import Strict


class Options(Strict):
    """See :class:`lakehouse.registry.tables.Origin`.

    Attributes:
        cursor_type: what the cursor holds: native dates (``timestamp``) or whole numbers (``bigint``). Absent: what most of
            some documents hold.
    """

    cursor_type: Literal["timestamp", "bigint"] | None = None

    @classmethod
    def said(cls, options: Mapping[str, str], doing: str) -> "Options":
        """What ``options`` say.

        Raises:
            SourceError: they say what there is not.
        """
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise SourceError(
                f"{doing}: option {name!r} of `source:` is {options.get(name)!r}: {first['msg']}. A collection knows "
                f"{', '.join(cls.model_fields)}.",
                remedy="Correct `options` in the registry file.",
            ) from None
