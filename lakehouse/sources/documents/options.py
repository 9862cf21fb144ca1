"""What a registry file may say of how a collection is read."""

from typing import ClassVar, Literal

from lakehouse.sources.options import SourceOptions


class Options(SourceOptions):
    """See :class:`lakehouse.registry.tables.Origin`.

    Attributes:
        cursor_type: what the cursor holds: native dates (``timestamp``) or whole numbers (``bigint``). Absent: what most of
            some documents hold.
    """

    knows: ClassVar[str] = "A collection knows"

    cursor_type: Literal["timestamp", "bigint"] | None = None
