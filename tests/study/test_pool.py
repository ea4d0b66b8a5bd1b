import os
import signal
from pathlib import Path

import pytest

from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import silent


def write_square(task):
    folder, n = task
    (Path(folder) / str(n)).write_text(str(n * n))


def refuse_odd(task):
    if task % 2:
        raise ValueError(f"{task} is odd")


def die(_task):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_and_counted(tmp_path, workers):
    heard = []
    run_tasks(
        write_square, [(str(tmp_path), n) for n in range(7)], workers=workers, stage="squares",
        progress=lambda *said: heard.append(said), size=lambda task: task[1],
    )  # fmt: skip
    assert sorted(int(p.read_text()) for p in tmp_path.iterdir()) == [n * n for n in range(7)]
    assert heard[0] == ("squares", 0, 21)
    assert heard[-1] == ("squares", 21, 21)
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_fails_stops_the_run_and_the_workers_can_go_on(workers, tmp_path):
    with pytest.raises(ValueError, match="is odd"):
        run_tasks(refuse_odd, [0, 1, 2, 3], workers=workers, stage="", progress=silent)
    run_tasks(write_square, [(str(tmp_path), 3), (str(tmp_path), 4)], workers=workers, stage="", progress=silent)
    assert (tmp_path / "4").read_text() == "16"


def test_a_killed_worker_is_an_error_and_replaced(tmp_path):
    with pytest.raises(
        ChildProcessError, match=r"got one killed while counting, perhaps for want of memory\. Run the same"
    ):
        run_tasks(die, [0, 1], workers=2, stage="counting", progress=silent)
    run_tasks(write_square, [(str(tmp_path), 3), (str(tmp_path), 4)], workers=2, stage="", progress=silent)
    assert (tmp_path / "3").read_text() == "9"
