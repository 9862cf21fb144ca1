"""What a registry file may say of a relation for its kind of source: ``options`` under ``source:``."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import ValidationError

from lakehouse.errors import SourceError
from lakehouse.model import Strict


class SourceOptions(Strict):
    """The options of one kind of source.

    Attributes:
        knows: the beginning of the sentence that lists them.
    """

    knows: ClassVar[str]

    @classmethod
    def said(cls, options: Mapping[str, str], doing: str) -> Self:
        """What ``options`` say.

        Raises:
            SourceError: they say what there is not.
        """
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            known = ", ".join(field.alias or name for name, field in cls.model_fields.items())
            raise SourceError(
                f"{doing}: option {name!r} of `source:` is {options.get(name)!r}: {first['msg']}. {cls.knows} {known}.",
                remedy="Correct `options` in the registry file.",
            ) from None
