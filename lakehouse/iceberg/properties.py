"""The properties of the lake's tables."""

from collections.abc import Sequence

from lakehouse.paths import Layer

#: The property that says how data files are compressed, for whoever writes them.
CODEC = "write.parquet.compression-codec"

_COMMON = {
    "format-version": "2",
    "write.delete.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.merge.mode": "copy-on-write",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


def table_properties(layer: Layer, partition_by: Sequence[str]) -> dict[str, str]:
    """The properties of a new table of ``layer``. What analysts ask is read more often than it is written."""
    return _COMMON | {CODEC: codec_of(layer)} | distribution(partition_by)


def codec_of(layer: Layer) -> str:
    """How data files of ``layer`` are compressed.

    Not ``lz4_raw``, which is quickest to read: of its dictionaries above 8 KiB Iceberg's reader fails where a query has a
    condition on such a column.
    """
    return "snappy" if layer is Layer.GOLD else "zstd"


def distribution(partition_by: Sequence[str]) -> dict[str, str]:
    """Rows of a partition go to one task, so that a write leaves one file in it and not one of each task."""
    mode = "hash" if partition_by else "none"
    return {"write.distribution-mode": mode, "write.merge.distribution-mode": mode}
