"""Every reader refuses damaged files in words, in time and in little memory; `bench/fuzz.py` does it at length."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from tests.io.test_archive import WRITERS

import twelvelead.io

SCRIPT = Path(__file__).parents[2] / "bench" / "fuzz.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_files_are_refused_in_words(name, script, tmp_path):
    found = script.damage(WRITERS[name](tmp_path), 150, 0, {})
    assert found["unforeseen"] == []
    assert found["outcomes"]["read"] < 150


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_thousands_of_damaged_files_are_refused_in_words(name, tmp_path):
    """In a process of its own, which may crash."""
    command = [sys.executable, str(SCRIPT), str(WRITERS[name](tmp_path)), "--mutations", "1500", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_reader_that_does_not_look_is_seen(script, tmp_path, monkeypatch):
    path, careful = WRITERS["scp"](tmp_path), twelvelead.io.open_recording
    good = path.read_bytes()

    def careless(file, **declared):
        if file.read_bytes() != good:
            raise IndexError("index out of range")
        return careful(file, **declared)

    monkeypatch.setattr(twelvelead.io, "open_recording", careless)
    found = script.damage(path, 40, 0, {})
    assert found["outcomes"]["UNFORESEEN"] > 30
    assert "IndexError: index out of range" in found["unforeseen"][0]
