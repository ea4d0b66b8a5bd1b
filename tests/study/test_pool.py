import os
import signal
import subprocess
import sys
import time
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


ABANDONED = """
import os, sys, time
from pathlib import Path
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import silent
from tests.study.test_pool import say_who_and_sleep

if __name__ == "__main__":
    run_tasks(say_who_and_sleep, [sys.argv[1]] * 2, workers=2, stage="", progress=silent)
"""


def say_who_and_sleep(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def test_workers_end_with_who_started_them_even_if_that_was_killed(tmp_path):
    """Else a run that goes on from there would meet them at the same work."""
    script, said = tmp_path / "abandoned.py", tmp_path / "said"
    script.write_text(ABANDONED)
    said.mkdir()
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    child = subprocess.Popen([sys.executable, str(script), str(said)], env=environment)  # noqa: S603 - our own
    assert wait_for(lambda: len(list(said.iterdir())) == 2)
    workers = [int(file.name) for file in said.iterdir()]
    child.kill()
    child.wait()
    assert wait_for(lambda: not any(map(is_alive, workers)), seconds=10)
