"""What a registry's modules import: ``from lakehouse.transformer import transformer``."""

from lakehouse.registry.transformers import transformer

__all__ = ["transformer"]
