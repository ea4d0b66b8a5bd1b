import json
import os
import socket
import subprocess
import sys
import time

import pytest

from twelvelead.study.lock import LOCK, UNREADABLE_S, hold
from twelvelead.terms import InputError

OTHER = """
import sys, time
from pathlib import Path
from twelvelead.study.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process at work in the folder."""
    runner = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", OTHER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout.readline() == "held\n"
    yield runner
    runner.kill()
    runner.wait()
    runner.stdout.close()


def lock(folder, **owner):
    (folder / LOCK).write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), **owner}))


def test_a_second_runner_is_told_who_works_there(tmp_path, other):
    with pytest.raises(InputError, match=rf"used by process {other.pid} on {socket.gethostname()}"), hold(tmp_path):
        pass
    assert (tmp_path / LOCK).is_file()


def test_a_killed_runners_folder_is_taken_over(tmp_path, other):
    other.kill()
    other.wait()
    assert (tmp_path / LOCK).is_file()
    with hold(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_goes_with_an_error_and_so_does_a_folder_that_is_still_empty(tmp_path):
    with pytest.raises(ValueError, match="a bug"), hold(tmp_path / "new"):
        raise ValueError("a bug")
    assert not (tmp_path / "new").exists()
    with hold(tmp_path / "new"), pytest.raises(InputError, match="one run at a time"), hold(tmp_path / "new"):
        pass
    with hold(tmp_path / "new"):
        (tmp_path / "new" / "result").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["result"]


def test_whether_a_process_elsewhere_lives_is_not_guessed(tmp_path):
    lock(tmp_path, host="elsewhere", pid=1)
    with pytest.raises(InputError, match=f"process 1 on elsewhere.*remove {LOCK}"), hold(tmp_path):
        pass


def test_a_dead_process_whose_number_came_to_us_is_dead(tmp_path):
    lock(tmp_path)
    with hold(tmp_path):
        pass


def test_an_empty_lock_is_somebody_starting_and_soon_a_dead_one(tmp_path):
    (tmp_path / LOCK).touch()
    with pytest.raises(InputError, match="just starting"), hold(tmp_path):
        pass
    then = time.time() - 2 * UNREADABLE_S
    os.utime(tmp_path / LOCK, (then, then))
    with hold(tmp_path):
        pass
