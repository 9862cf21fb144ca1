"""What a person writes down, checked once where it enters: unknown keys are refused, and nothing changes afterwards."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A frozen model that takes no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSettings(Strict):
    """How a source is reached. Each kind of source has a model of its own in ``sources/<kind>/settings.py``.

    Attributes:
        type: the kind of source: the name of its folder in ``sources/``.
        parallelism: how many readers work at the same time.
    """

    type: str
    parallelism: int
