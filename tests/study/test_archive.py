import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twelvelead.io import Found, find_recordings, read, read_table, sha256, write_table
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.measure import CATALOGUE
from twelvelead.signal import Recording
from twelvelead.study import measure_archive, measure_files
from twelvelead.study.shard import Wanted
from twelvelead.terms import InputError, Reason


@pytest.fixture(scope="module")
def archive(hospitals):
    return hospitals / "hospital_b" / "waveforms"


def test_every_recording_is_a_row(archive, tmp_path):
    found = find_recordings([archive])
    measured = measure_archive(found, work=tmp_path)
    assert measured.features["recording_id"].to_list() == [f.recording_id for f in found]
    assert measured.features.columns == ["recording_id", *(m.name for m in CATALOGUE)]
    assert measured.failures.is_empty()


def test_workers_and_order_change_no_byte(archive, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        measure_files([archive], out=tmp_path / f"{name}.parquet", fiducials=tmp_path / f"{name}-f.parquet",
                      failures=tmp_path / f"{name}-x.csv", workers=workers)  # fmt: skip
    for a, b in (("one.parquet", "two.parquet"), ("one-f.parquet", "two-f.parquet"), ("one-x.csv", "two-x.csv")):
        assert sha256(tmp_path / a) == sha256(tmp_path / b)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "one-f.parquet", "one-x.csv", "one.parquet", "two-f.parquet", "two-x.csv", "two.parquet",
    ]  # fmt: skip


def test_no_value_depends_on_the_other_records(archive, tmp_path):
    found = find_recordings([archive])
    whole = measure_archive(found, work=tmp_path / "whole").features
    alone = measure_archive(found[7:8], work=tmp_path / "alone").features
    assert alone.equals(whole.filter(pl.col("recording_id") == found[7].recording_id))


def ecg(n=5000, leads=("I", "II")):
    return Recording(np.zeros((len(leads), n)), leads, 500, "x")


def test_one_bad_record_is_a_listed_failure(archive, tmp_path):
    good = find_recordings([archive])[0]
    bad = tmp_path / "bad"
    write_wfdb(ecg(), bad / "flat.hea")
    write_wfdb(ecg(500), bad / "short.hea")
    write_wfdb(ecg(), bad / "cut.hea")
    (bad / "cut.dat").write_bytes((bad / "cut.dat").read_bytes()[:777])
    (bad / "evil.hea").write_text("evil 1 500 10\n../../etc/passwd 16 1/mV\n")
    (bad / "garbage.hea").write_bytes(bytes(range(256)))
    found = [*find_recordings([bad]), good, Found("gone", bad / "gone.hea"), Found("twin", good.path)]
    found.append(Found("twin", good.path))
    measured = measure_archive(found, work=tmp_path / "work")
    assert measured.features["recording_id"].to_list() == [good.recording_id]
    reasons = measured.failures.group_by("recording_id", maintain_order=True).agg(pl.col("reason").first())
    assert dict(reasons.iter_rows()) == {
        "cut": Reason.UNREADABLE, "evil": Reason.UNREADABLE, "flat": Reason.FLAT, "garbage": Reason.UNREADABLE,
        "gone": Reason.UNREADABLE, "short": Reason.TOO_SHORT, "twin": Reason.DUPLICATE,
    }  # fmt: skip
    messages = dict(measured.failures.select("recording_id", "message").iter_rows())
    assert "got 777" in messages["cut"]
    assert "'../../etc/passwd'" in messages["evil"]
    assert "got 2 named 'twin'" in messages["twin"]


def test_a_fault_of_ours_costs_one_recording_and_not_the_batch(archive, tmp_path, monkeypatch):
    import twelvelead.study.shard as room

    found = find_recordings([archive])[:3]

    def break_down(recordings, **how):
        some = list(recordings)
        if found[1].recording_id in [recording.id for recording in some]:
            raise IndexError("list index out of range")
        return measure_many(some, **how)

    measure_many = room.measure_many
    monkeypatch.setattr(room, "measure_many", break_down)
    measured = measure_archive(found, work=tmp_path)
    assert measured.features.height == 2
    assert measured.failures["reason"].to_list() == [Reason.FAULT]
    assert "IndexError: list index out of range (test_archive.py, line" in measured.failures["message"][0]


def test_a_finished_shard_is_not_measured_again_but_a_changed_file_is(archive, tmp_path):
    found = find_recordings([archive])[:3]
    copies = [Found(f.recording_id, write_wfdb_copy(f.path, tmp_path)) for f in found]
    first = measure_archive(copies, work=tmp_path / "work").features
    shard = next((tmp_path / "work").glob("*.features.parquet"))
    stamp = shard.stat().st_mtime_ns
    assert measure_archive(copies, work=tmp_path / "work").features.equals(first)
    assert shard.stat().st_mtime_ns == stamp
    copies[0].path.with_suffix(".dat").write_bytes(copies[1].path.with_suffix(".dat").read_bytes())
    copies[0].path.write_text(copies[1].path.read_text().replace(copies[1].path.stem, copies[0].path.stem))
    again = measure_archive(copies, work=tmp_path / "work").features
    assert again.row(0)[1:] == again.row(1)[1:]
    assert again.row(0)[1:] != first.row(0)[1:]


def write_wfdb_copy(path, folder):
    for suffix in (".hea", ".dat"):
        (folder / path.with_suffix(suffix).name).write_bytes(path.with_suffix(suffix).read_bytes())
    return folder / path.name


def test_a_killed_run_resumes_to_the_same_result(hospitals, tmp_path):
    whole = tmp_path / "whole.parquet"
    measure_files([hospitals], out=whole)
    out = tmp_path / "killed.parquet"
    code = f"""
from pathlib import Path
from twelvelead.study import measure_files
if __name__ == "__main__":
    measure_files([Path({str(hospitals)!r})], out=Path({str(out)!r}), workers=1)
"""
    process = subprocess.Popen([sys.executable, "-c", code])  # noqa: S603 - our own code
    work = tmp_path / ".killed.parquet.unfinished"
    deadline = time.monotonic() + 120
    while not list(work.glob("*.features.parquet")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = {p: p.stat().st_mtime_ns for p in work.glob("*.features.parquet")}
    assert done
    measured = measure_files([hospitals], out=out)
    assert measured.failures.is_empty()
    assert sha256(out) == sha256(whole)
    assert not work.exists()


def test_a_silly_number_of_workers_is_refused(archive, tmp_path):
    with pytest.raises(InputError, match="workers must be at least 1; got 0"):
        measure_archive(find_recordings([archive]), work=tmp_path, workers=0)


def test_shards_and_blocks_change_no_value(archive, tmp_path, monkeypatch):
    import twelvelead.study.archive as room
    from twelvelead.study import shard

    found = find_recordings([archive])[:7]
    one = measure_archive(found, work=tmp_path / "one")
    monkeypatch.setattr(room, "SHARD", 3)
    monkeypatch.setattr(shard, "BLOCK", 2)
    some = measure_archive(found, work=tmp_path / "some")
    assert len(list((tmp_path / "some").glob("*.features.parquet"))) == 3
    assert some.features.equals(one.features)
    assert some.fiducials.equals(one.fiducials)


def test_what_is_wrong_with_a_lead_is_a_finding_and_its_numbers_are_null(archive, tmp_path):
    recording = read(find_recordings([archive])[0].path)
    signal = recording.signal.copy()
    signal[recording.leads.index("V2")] = np.nan
    (tmp_path / "one").mkdir()
    write_wfdb(replace(recording, signal=signal), tmp_path / "one" / "r.hea")
    out, findings = tmp_path / "out.parquet", tmp_path / "findings.csv"
    measure_files([tmp_path / "one"], out=out, findings=findings)
    row = read_table(findings).row(0, named=True)
    assert (row["recording_id"], row["lead"], row["reason"]) == ("r", "V2", Reason.MISSING_LEAD)
    features = read_table(out).row(0, named=True)
    assert features["r_amplitude_v2_mv"] is None
    assert features["r_amplitude_v3_mv"] is not None


def test_without_the_refiner_marks_have_no_confidence(archive, tmp_path):
    found = find_recordings([archive])[:2]
    learnt = measure_archive(found, work=tmp_path / "a").fiducials
    ruled = measure_archive(found, work=tmp_path / "b", wanted=Wanted(refine=False)).fiducials
    assert ruled["qrs_confidence"].null_count() == ruled.height
    assert learnt["qrs_confidence"].null_count() < learnt.height
    assert not ruled["qrs_onset_s"].equals(learnt["qrs_onset_s"])


def test_fiducials_that_nobody_asked_for_are_not_kept(archive, tmp_path):
    found = find_recordings([archive])[:2]
    bare = measure_archive(found, work=tmp_path, wanted=Wanted(fiducials=False))
    assert bare.fiducials.is_empty()
    assert [p.name.partition(".")[2] for p in tmp_path.iterdir()] == ["features.parquet"]
    full = measure_archive(found, work=tmp_path)
    assert set(full.fiducials["recording_id"]) == {f.recording_id for f in found}
    assert full.features.equals(bare.features)


def test_tables_are_written_piece_by_piece_as_they_would_be_whole(archive, tmp_path):
    found = find_recordings([archive])
    measured = measure_archive(found, work=tmp_path / "work")
    for suffix in ("parquet", "csv", "tsv"):
        measured.write_features(tmp_path / f"pieces.{suffix}")
        write_table(measured.features, tmp_path / f"whole.{suffix}")
        measured.write_fiducials(tmp_path / f"marks.{suffix}")
        assert sha256(tmp_path / f"pieces.{suffix}") == sha256(tmp_path / f"whole.{suffix}")
        assert read_table(tmp_path / f"marks.{suffix}").height == measured.fiducials.height


def test_nothing_to_measure_gives_empty_tables(tmp_path):
    measured = measure_archive([], work=tmp_path / "work")
    assert (measured.n_measured, measured.features.height, measured.failures.height) == (0, 0, 0)
    measured.write_features(tmp_path / "f.parquet")
    assert pl.read_parquet(tmp_path / "f.parquet").columns == ["recording_id", *(m.name for m in CATALOGUE)]


def test_a_table_of_a_wrong_name_is_refused_before_the_work(archive, tmp_path):
    with pytest.raises(InputError, match=r"must end in \.parquet, \.csv, \.tsv; got 'f.xlsx'"):
        measure_files([archive], out=tmp_path / "f.parquet", fiducials=tmp_path / "f.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_long_recording_is_measured_in_windows_like_any_other(archive, tmp_path):
    found = find_recordings([archive])[0]
    short = read(found.path)
    assert short.duration == 10
    write_wfdb(replace(short, signal=np.tile(short.signal, 13), id="long"), tmp_path / "long.hea")
    pair = [Found("a", tmp_path / "long.hea"), Found("b", found.path)]
    measured = measure_archive(pair, work=tmp_path / "work")
    assert measured.features["recording_id"].to_list() == ["a", "b"]
    # The same ten seconds thirteen times: but for the seams between them it is the same ECG.
    for name, tolerance in (("heart_rate_bpm", 3), ("qrs_duration_ms", 6), ("r_amplitude_v5_mv", 0.05)):
        a, b = measured.features[name]
        assert a == pytest.approx(b, abs=tolerance), name
    last = measured.fiducials.filter(pl.col("recording_id") == "a")["r_peak_s"].max()
    assert 125 < last < 130
