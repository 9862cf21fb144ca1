"""The properties of the lake's tables."""

from collections.abc import Sequence

_COMMON = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.delete.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.merge.mode": "copy-on-write",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


def table_properties(partition_by: Sequence[str]) -> dict[str, str]:
    """The properties of a new table."""
    return _COMMON | distribution(partition_by)


def distribution(partition_by: Sequence[str]) -> dict[str, str]:
    """Rows of a partition go to one task, so that a write leaves one file in it and not one of each task."""
    mode = "hash" if partition_by else "none"
    return {"write.distribution-mode": mode, "write.merge.distribution-mode": mode}
