"""A Dask cluster of two worker processes on this machine."""

import warnings

import pytest

from twelvelead.io import Found, find_recordings, sha256
from twelvelead.study import measure_archive, measure_files, run_study
from twelvelead.study.cluster import run_on_cluster
from twelvelead.terms import InputError, MissingExtra

# Sockets that Dask closes late when it stops, and its remark that a port of its own choice is another's.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Port .* is already in use:UserWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="the extra scale is not installed: no cluster")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as started:
            yield f"dask={started.scheduler_address}"


@pytest.fixture(scope="module")
def archive(hospitals):
    return hospitals / "hospital_b" / "waveforms"


def test_a_cluster_gives_the_same_bytes(cluster, archive, tmp_path, monkeypatch):
    import twelvelead.study.archive as room

    monkeypatch.setattr(room, "SHARD", 8)
    for name, workers in (("here", 1), ("there", cluster)):
        out = measure_files([archive], out=tmp_path / f"{name}.parquet", fiducials=tmp_path / f"{name}-f.parquet",
                            workers=workers)  # fmt: skip
        assert out.failures.is_empty()
    assert sha256(tmp_path / "here.parquet") == sha256(tmp_path / "there.parquet")
    assert sha256(tmp_path / "here-f.parquet") == sha256(tmp_path / "there-f.parquet")


def test_a_recording_that_fails_there_is_listed(cluster, archive, tmp_path):
    (tmp_path / "bad.hea").write_text("bad 1 500 5000\nbad.dat 16 1000/mV\n")
    found = [find_recordings([archive])[0], Found("bad", tmp_path / "bad.hea")]
    measured = measure_archive(found, work=tmp_path / "work", workers=cluster)
    assert measured.n_measured == 1
    assert measured.failures["recording_id"].to_list() == ["bad"]


def test_a_study_on_a_cluster_gives_the_same_bytes(cluster, finished, hospitals, small, tmp_path):
    out, _ = finished
    run_study(small, data=hospitals, out=tmp_path, workers=cluster)
    assert sha256(tmp_path / "manifest.json") == sha256(out / "manifest.json")


def do_nothing(_task):
    pass


def test_a_worker_that_does_not_see_the_files_is_named(cluster, tmp_path):
    gone = str(tmp_path / "gone.hea")
    with pytest.raises(InputError, match=r"must see the files of its task; got 1 of 2 missing on .*gone\.hea'\. Mount"):
        list(run_on_cluster(do_nothing, [0], scheduler=cluster, needs=lambda _: [str(tmp_path), gone]))


def test_another_version_on_the_workers_is_refused(cluster, monkeypatch):
    import twelvelead.study.cluster as room

    monkeypatch.setattr(room, "code_digest", lambda: "another")
    with pytest.raises(InputError, match="workers must run the version of who gives them work"):
        list(run_on_cluster(do_nothing, [0], scheduler=cluster, needs=lambda _: []))


def test_an_address_that_is_none_is_refused(monkeypatch):
    with pytest.raises(InputError, match=r"scheduler must be dask=ADDRESS, .*; got 'slurm=x'"):
        list(run_on_cluster(do_nothing, [0], scheduler="slurm=x", needs=lambda _: []))
    monkeypatch.setattr("twelvelead.study.cluster.PATIENCE_S", 0.2)
    with pytest.raises(InputError, match=r"must answer at 'tcp://127\.0\.0\.1:1'"):
        list(run_on_cluster(do_nothing, [0], scheduler="dask=tcp://127.0.0.1:1", needs=lambda _: []))


def test_without_dask_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"pip install 'twelvelead\[scale\]'"):
        list(run_on_cluster(do_nothing, [0], scheduler="dask=tcp://127.0.0.1:1", needs=lambda _: []))
