import time
from collections.abc import Sequence

import pytest

from lakehouse.orchestrate.recorder import Recorder
from lakehouse.orchestrate.runs import Status, TableRun


def ended(number: int) -> TableRun:
    return TableRun(table=f"raw.t{number}", status=Status.UNCHANGED)


def test_outcomes_that_come_together_share_a_commit() -> None:
    commits: list[list[TableRun]] = []
    with Recorder(lambda runs: commits.append(list(runs))) as recorder:
        for number in range(77):
            recorder.add(ended(number))
    assert [len(commit) for commit in commits] == [77]


def test_outcomes_are_committed_while_the_run_goes_on() -> None:
    commits: list[list[TableRun]] = []
    with Recorder(lambda runs: commits.append(list(runs)), every_s=0.01) as recorder:
        recorder.add(ended(1))
        deadline = time.monotonic() + 10
        while not commits and time.monotonic() < deadline:
            time.sleep(0.01)
        assert commits == [[ended(1).model_copy(update={"started_at": commits[0][0].started_at})]]


def test_an_interrupted_run_leaves_what_is_known() -> None:
    commits: list[list[TableRun]] = []
    with pytest.raises(KeyboardInterrupt), Recorder(lambda runs: commits.append(list(runs))) as recorder:  # noqa: PT012
        recorder.add(ended(1))
        raise KeyboardInterrupt
    assert [run.table for commit in commits for run in commit] == ["raw.t1"]


def test_a_commit_that_fails_is_tried_again_and_nothing_is_told_twice() -> None:
    commits: list[list[TableRun]] = []
    failures = [OSError("no room")]

    def write(runs: Sequence[TableRun]) -> None:
        if failures:
            raise failures.pop()
        commits.append(list(runs))

    with Recorder(write, every_s=0.01) as recorder:
        recorder.add(ended(1))
        time.sleep(0.1)
        recorder.add(ended(2))
    assert sorted(run.table for commit in commits for run in commit) == ["raw.t1", "raw.t2"]


def test_a_recorder_that_cannot_commit_at_the_end_says_so() -> None:
    def write(_runs: Sequence[TableRun]) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"), Recorder(write, every_s=0.01) as recorder:
        recorder.add(ended(1))
