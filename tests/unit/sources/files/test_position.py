"""Which files were read is known however many they are, and whatever becomes of old ones."""

from collections.abc import Mapping, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.files import position
from lakehouse.sources.files.position import Position, news
from lakehouse.sources.files.store import Listed


class Lake:
    """Reads what is new, as raw does: it holds one version of each file."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.held: dict[str, str] = {}
        self.asked = 0

    def _held(self, origins: Sequence[str] | None) -> Mapping[str, str]:
        self.asked += 1
        return {name: version for name, version in self.held.items() if origins is None or name in origins}

    def load(self, files: Mapping[str, Listed], *, anew: bool = False) -> list[str]:
        """Names of the files that are read; those that are in place of another version are just those that raw holds."""
        listed = sorted(files.values(), key=lambda file: (file.modified, file.name))
        before = None if self.position is None else Position.model_validate_json(self.position.model_dump_json())
        found = news(before, listed, self._held, anew=anew)
        read = [file.name for file in found.new]
        assert set(found.replaced) == set(read) & self.held.keys()
        assert set(found.vanished) <= self.held.keys() - files.keys()
        assert found.position.numbered == (before.numbered if before else 0) + len(read)
        self.position = found.position
        self.held |= {file.name: file.version for file in found.new}
        return read


@given(seed=st.integers(0, 10**6))
def test_after_any_changes_just_the_files_that_raw_does_not_hold_alike_are_read(seed: int) -> None:
    random = Random(seed)
    lake, files = Lake(), dict[str, Listed]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(position, "_MOST", 4)
        patched.setattr(position, "_NEWEST", 2)
        for now in range(1, 12):
            for _ in range(random.randint(0, 4)):
                name = f"{random.randint(1, 12)}"
                if random.random() < 0.2:
                    files.pop(name, None)
                else:  # some are copied with the time that they had, or bear that of a clock that is behind
                    files[name] = Listed(name, random.randint(1, 3), random.choice((now, now, random.randint(1, now))))
            expected = {name for name, file in files.items() if lake.held.get(name) != file.version}
            assert set(lake.load(files)) == expected
            assert lake.load(files) == []
            assert lake.position is not None
            assert len(lake.position.files) <= 4
    assert set(lake.load(files, anew=True)) == set(files)


def test_raw_is_not_asked_where_only_new_files_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(position, "_MOST", 4)
    monkeypatch.setattr(position, "_NEWEST", 2)
    lake, files = Lake(), dict[str, Listed]()
    for number in range(40):
        files[f"{number}"] = Listed(f"{number}", 1, number)
        assert lake.load(files) == [f"{number}"]
    assert lake.asked == 0
    assert len(lake.position.model_dump_json()) < 400 if lake.position else False
    files["3"] = Listed("3", 2, 50)
    assert lake.load(files) == ["3"]
    assert lake.asked == 1
