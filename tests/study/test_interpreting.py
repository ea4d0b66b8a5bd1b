"""Interpreting an archive: the same files however many workers, after a kill, and beside what can't be read."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from twelvelead.interpret.packs import DEFAULT
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.study import interpreting
from twelvelead.study.interpreting import Request, Whose, choose_pack, interpret_files, print_files, report_path
from twelvelead.terms import InputError


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Write three recordings in two folders, one that is broken and a table of two of the persons."""
    folder = tmp_path_factory.mktemp("archive")
    truth = hospital(3, site=SITE_A, seed=3).truth
    for k in range(3):
        (folder / "ecgs" / str(k % 2)).mkdir(parents=True, exist_ok=True)
        write_wfdb(recording(truth.row(k, named=True), site=SITE_A), folder / "ecgs" / str(k % 2) / f"r{k}.hea")
    (folder / "ecgs" / "broken.hea").write_text("broken 12 500 5000\nnothing.dat 16 1000 16 0 0 0 0 I\n")
    ids = {"recording_id": ["0/r0", "1/r1"], "age_years": [50.0, 60.0], "sex": ["male", "female"]}
    pl.DataFrame(ids).write_csv(folder / "subjects.csv")
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_one_bad_recording_is_a_listed_failure_and_the_others_are_written(archive, tmp_path):
    told = []
    done = interpret_files(
        [archive / "ecgs"], out=tmp_path / "out", request=Request("json"), whose=Whose(archive / "subjects.csv"),
        progress=lambda *at: told.append(at),
    )  # fmt: skip
    assert done.n_interpreted == 3
    assert done.failures["recording_id"].to_list() == ["broken"]
    assert told[-1] == ("interpreting", 4, 4)
    assert set(files_in(tmp_path / "out")) == {"0/r0.json", "0/r2.json", "1/r1.json", "findings.csv", "failures.csv"}
    persons = [json.loads((tmp_path / "out" / f"{n}.json").read_text())["person"] for n in ("0/r0", "1/r1")]
    assert [(p["age_years"], p["sex"]) for p in persons] == [(50.0, "male"), (60.0, "female")]
    table = pl.read_csv(tmp_path / "out" / "findings.csv")
    assert table.height == 3 * len(DEFAULT.findings)
    met = table.filter((pl.col("recording_id") == "0/r0") & (pl.col("verdict") == "met"))["finding"].to_list()
    assert met == json.loads((tmp_path / "out" / "0" / "r0.json").read_text())["met"]


def test_workers_and_a_kill_change_nothing(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(interpreting, "PART", 1)
    request = Request("text")
    interpret_files([archive / "ecgs"], out=tmp_path / "whole", request=request)
    interpret_files([archive / "ecgs"], out=tmp_path / "two", request=request, workers=2)
    done = []

    def killed(part):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part)
        interpreting.interpret_part(part)

    with monkeypatch.context() as patch:
        original = interpreting.run_tasks
        patch.setattr(interpreting, "run_tasks", lambda _, tasks, **rest: original(killed, tasks, **rest))
        with pytest.raises(KeyboardInterrupt):
            interpret_files([archive / "ecgs"], out=tmp_path / "killed", request=request)
    assert len(list((tmp_path / "killed" / "unfinished").iterdir())) == 2
    again = []
    monkeypatch.setattr(
        interpreting, "run_tasks", lambda f, tasks, **rest: (again.extend(tasks), original(f, tasks, **rest))
    )
    interpret_files([archive / "ecgs"], out=tmp_path / "killed", request=request)
    assert len(again) == 2
    assert files_in(tmp_path / "whole") == files_in(tmp_path / "two") == files_in(tmp_path / "killed")


def test_age_and_sex_given_count_before_any_table(archive, tmp_path):
    interpret_files(
        [archive / "ecgs" / "0" / "r0.hea"], out=tmp_path, request=Request("json"), whose=Whose(None, 33.0, "female")
    )
    person = json.loads((tmp_path / "r0.json").read_text())["person"]
    assert person == {"age_years": 33.0, "sex": "female"}


def test_printing_writes_a_line_of_json_for_each(archive):
    lines = []
    done = print_files([archive / "ecgs"], write=lines.append, request=Request("json"))
    assert done.n_interpreted == len(lines) == 3
    assert [json.loads(line)["recording_id"] for line in lines] == ["0/r0", "0/r2", "1/r1"]
    assert all(line.count("\n") == 1 for line in lines)


@pytest.mark.parametrize(
    ("wrong", "what"), [({"format": "pdf"}, "format"), ({"packs": ("nobody",)}, "pack"), ({"dpi": 1}, "dpi")]
)
def test_what_is_not_known_is_refused_before_any_work(wrong, what):
    with pytest.raises(InputError, match=what):
        Request(**wrong)


def test_packs_are_joined_and_no_id_leaves_the_folder(tmp_path):
    assert choose_pack(("aha_accf_hrs_2009", "udmi4", "udmi4")) == DEFAULT
    assert report_path(tmp_path, "../../etc/x", "text") == tmp_path / "etc" / "x.txt"
    assert report_path(tmp_path, "a/b", "html") == tmp_path / "a" / "b.html"


def test_nobody_works_in_the_same_folder(archive, tmp_path):
    from twelvelead.study.lock import hold

    with hold(tmp_path), pytest.raises(InputError):
        interpret_files([archive / "ecgs"], out=tmp_path, request=Request())
    shutil.rmtree(tmp_path)
