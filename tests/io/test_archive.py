import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import edfio
import numpy as np
import polars as pl
import pytest
from scipy.io import savemat
from tests.io import test_aecg as aecg
from tests.io import test_ishne as ishne
from tests.io import test_muse as muse
from tests.io import test_scp as scp
from tests.io import test_sierra as sierra

from twelvelead.io import FORMATS, find_recordings, open_recording, read
from twelvelead.io.formats import HEAD
from twelvelead.io.formats.dicom_write import write_dicom
from twelvelead.io.formats.shards_write import write_shards
from twelvelead.io.formats.source import source_of
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.terms import FormatError, InputError

MICROVOLTS = np.random.default_rng(0).normal(0, 1000, (2, 1000)).round().astype(int)
ECG = Recording(MICROVOLTS / 1000, ("I", "II"), 500, "x")


def as_wfdb(folder):
    return write_wfdb(ECG, folder / "x.hea")


def as_npy(folder):
    np.save(folder / "x.npy", ECG.signal.T)
    (folder / "x.json").write_text(json.dumps({"fs": 500, "leads": ["I", "II"], "units": "mV"}))
    return folder / "x.npy"


def as_table():
    time = np.arange(ECG.n_samples) / ECG.fs
    return pl.DataFrame({"time_s": time, "I": 1000 * ECG["I"].astype(float), "II": 1000 * ECG["II"].astype(float)})


def as_csv(folder):
    as_table().write_csv(folder / "x.csv")
    (folder / "x.json").write_text('{"units": "uV"}')
    return folder / "x.csv"


def as_parquet(folder):
    as_table().write_parquet(folder / "x.parquet")
    (folder / "x.json").write_text('{"units": "uV"}')
    return folder / "x.parquet"


def as_mat(folder):
    savemat(folder / "x.mat", {"val": ECG.signal.astype(float)}, do_compression=True)
    (folder / "x.json").write_text(json.dumps({"fs": 500, "leads": ["I", "II"], "units": "mV"}))
    return folder / "x.mat"


def as_hdf5(folder):
    h5py = pytest.importorskip("h5py", reason="the h5py package is not installed")
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("x", data=ECG.signal.T)
    (folder / "x.json").write_text(json.dumps({"fs": 500, "leads": ["I", "II"], "units": "mV"}))
    return folder / "x.h5"


def as_dicom(folder):
    return write_dicom(source_of(ECG, step_mv=(0.001, 0.001)), folder / "x.dcm")


def as_edf(folder):
    limits = {"physical_dimension": "mV", "physical_range": (-32.768, 32.767)}
    edfio.Edf([edfio.EdfSignal(ECG[lead].astype(float), 500, label=lead, **limits) for lead in ECG.leads]).write(
        folder / "x.edf"
    )
    return folder / "x.edf"


def as_shards(folder):
    write_shards([("x", source_of(ECG, step_mv=(0.001, 0.001)))], folder)
    return folder / "index.parquet"


def as_scp(folder):
    bodies = {3: scp.leads_body((1, 2), [(1, 1000)] * 2), 6: scp.signal_body(MICROVOLTS, nv=1000)}
    (folder / "x.scp").write_bytes(scp.record(bodies))
    return folder / "x.scp"


def as_ishne(folder):
    head = ishne.header(1000, leads=(5, 6), nv=(1000, 1000), fs=500)
    (folder / "x.ecg").write_bytes(head + MICROVOLTS.T.astype("<i2").tobytes())
    return folder / "x.ecg"


def as_muse(folder):
    steps = zip(ECG.leads, MICROVOLTS.astype("<i2"), strict=True)
    leads = [muse.lead_xml(lead, samples, LeadAmplitudeUnitsPerBit=1) for lead, samples in steps]
    (folder / "x.xml").write_text(f"<RestingECG>{muse.waveform_xml('Rhythm', leads)}</RestingECG>")
    return folder / "x.xml"


def as_aecg(folder):
    leads = [
        aecg.lead(f"MDC_ECG_LEAD_{name}", " ".join(map(str, samples)), scale="1")
        for name, samples in zip(ECG.leads, MICROVOLTS, strict=True)
    ]
    content = aecg.series(aecg.sequences(aecg.times(), *leads))
    (folder / "x.xml").write_text(f"<AnnotatedECG xmlns='urn:hl7-org:v3' xmlns:xsi='urn:xsi'>{content}</AnnotatedECG>")
    return folder / "x.xml"


def as_sierra(folder):
    text = " ".join(str(value) for lead in MICROVOLTS for value in lead)
    more = "numberofleads='2' leadlabels='I II'"
    document = sierra.document(text, coding="Plain", attributes=more, duration=2000)
    (folder / "x.xml").write_text(document.replace("<resolution>5</resolution>", "<resolution>1</resolution>"))
    return folder / "x.xml"


WRITERS = {
    "wfdb": as_wfdb, "shards": as_shards, "dicom": as_dicom, "edf": as_edf, "scp": as_scp, "ishne": as_ishne,
    "muse": as_muse, "aecg": as_aecg, "sierra": as_sierra, "mat": as_mat, "hdf5": as_hdf5, "npy": as_npy,
    "csv": as_csv, "parquet": as_parquet,
}  # fmt: skip


def test_every_format_has_its_laws():
    assert set(WRITERS) == {f.name for f in FORMATS}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_recording(name, tmp_path):
    r = read(WRITERS[name](tmp_path))
    more = ("III", "aVR", "aVL", "aVF") if name == "muse" else ()  # which such files leave to the reader
    assert (r.leads, r.fs, r.id) == (ECG.leads + more, ECG.fs, "x")
    # WFDB rounds to 1 uV, half of which is the tolerance.
    np.testing.assert_allclose(r.signal[:2], ECG.signal, rtol=0, atol=0.0005)


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_recognised_by_itself_alone(name, tmp_path):
    path = WRITERS[name](tmp_path)
    head = path.read_bytes()[:HEAD]
    assert [f.name for f in FORMATS if f.recognise(head, path)] == [name]


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_found_in_a_folder(name, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    WRITERS[name](tmp_path / "deep" / "er")
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["deep/er/x"]


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_refuses_half_a_file(name, tmp_path):
    path = WRITERS[name](tmp_path)
    data = path.with_suffix(".dat") if name == "wfdb" else path
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    if name == "csv":  # half a CSV is a CSV: that is why it must not be trusted with archives
        assert read(path).n_samples < ECG.n_samples
        return
    with pytest.raises(InputError):
        read(path)


def test_tables_that_are_no_signals_are_not_found(tmp_path):
    pl.DataFrame({"ecg_id": [1], "age": [50]}).write_csv(tmp_path / "patients.csv")
    pl.DataFrame({"ecg_id": [1]}).write_parquet(tmp_path / "patients.parquet")
    as_wfdb(tmp_path)
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["x"]


def test_a_single_file_is_called_by_its_stem(tmp_path):
    as_wfdb(tmp_path)
    for path in (tmp_path / "x.hea", tmp_path / "x", tmp_path / "x.dat"):
        found = find_recordings([path])
        assert found[0].recording_id == "x"
        assert read(found[0].path).leads == ("I", "II")


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(InputError, match="there must be a recording to read"):
        find_recordings([tmp_path])
    with pytest.raises(InputError, match="which is not"):
        find_recordings([tmp_path / "nowhere"])
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(FormatError, match="known format"):
        read(tmp_path / "x.txt")


@pytest.mark.parametrize("key", ["fs", "leads", "units"])
def test_what_a_file_does_not_say_must_be_declared(key, tmp_path):
    path = as_npy(tmp_path)
    said = json.loads((tmp_path / "x.json").read_text())
    (tmp_path / "x.json").write_text(json.dumps({k: v for k, v in said.items() if k != key}))
    with pytest.raises(InputError, match=f"must declare {key}"):
        read(path)
    assert read(path, **{key: said[key]}).fs == 500


def test_what_is_declared_must_make_sense(tmp_path):
    path = as_npy(tmp_path)
    with pytest.raises(InputError, match="units must be one of"):
        read(path, units="furlong")
    with pytest.raises(InputError, match="3 names for 2 columns"):
        read(path, leads=("I", "II", "III"))
    (tmp_path / "x.json").write_text('{"colour": "red"}')
    with pytest.raises(InputError, match="only fs, leads and units"):
        read(path)
    (tmp_path / "x.json").write_text('{"fs": "fast", "leads": ["I", "II"], "units": "mV"}')
    with pytest.raises(InputError, match="fs must be a number"):
        read(path)


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ('{"fs": true, "leads": ["I", "II"], "units": "mV"}', "fs must be a number of Hz; got True"),
        ('{"fs": 500, "leads": "I,II", "units": "mV"}', "leads must be a list of names; got 'I,II'"),
        ('{"fs": 500, "leads": [1, 2], "units": "mV"}', "leads must be a list of names"),
        ('{"fs": 500, "leads": ["I", "II"], "units": 1}', "units must be one of mV, uV, V; got 1"),
        ('["fs"]', "only fs, leads and units"),
        ("{", "must be JSON"),
    ],
)
def test_a_sidecar_of_another_kind_is_refused(sidecar, message, tmp_path):
    path = as_npy(tmp_path)
    (tmp_path / "x.json").write_text(sidecar)
    with pytest.raises(InputError, match=message):
        read(path)


def test_what_is_declared_outranks_the_sidecar(tmp_path):
    path = as_npy(tmp_path)
    r = read(path, fs=250, leads=("V1", "V2"), units="uV", recording_id="y")
    assert (r.fs, r.leads, r.id) == (250, ("V1", "V2"), "y")
    with pytest.raises(InputError, match="fs must be a positive number"):
        read(path, fs=0)


@pytest.mark.parametrize("shape", [(2, 1000), (1000, 2), (2, 1), (1, 2)])
def test_the_declared_leads_say_which_side_of_an_array_they_lie_along(shape, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(shape[0] * shape[1]).reshape(shape))
    r = read(tmp_path / "x.npy", fs=500, leads=("I", "II"), units="mV")
    assert r.signal.shape == (2, max(shape) if max(shape) > 2 else 1)
    assert r["II"][0] == (1 if shape[1] == 2 else shape[1])


def test_a_parquet_table_needs_a_lead_or_a_sidecar_to_be_a_signal(tmp_path):
    table = pl.DataFrame({"ch1": [0.0, 1.0]})
    table.write_parquet(tmp_path / "a.parquet")
    table.write_csv(tmp_path / "b.csv")
    (tmp_path / "b.json").write_text('{"auroc": 0.9}')
    with pytest.raises(InputError, match="got none"):
        find_recordings([tmp_path])
    for stem in "ab":
        (tmp_path / f"{stem}.json").write_text('{"fs": 500, "leads": ["V1"], "units": "mV"}')
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["a", "b"]
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    assert len(find_recordings([tmp_path])) == 2


def test_one_id_in_two_folders_is_found_twice(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        as_wfdb(tmp_path / name)
    found = find_recordings([tmp_path / "two", tmp_path / "one"])
    assert [f.recording_id for f in found] == ["x", "x"]
    assert [f.path.parent.name for f in found] == ["two", "one"]


def test_a_folder_is_searched_in_one_order(tmp_path):
    names = ["b/2", "b/10", "a/1", "c", "b"]
    for name in names:
        path = tmp_path / f"{name}.hea"
        path.parent.mkdir(exist_ok=True)
        path.write_text("r 0 500\n")
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["b", "c", "a/1", "b/10", "b/2"]


def test_what_the_system_refuses_is_an_input_error(tmp_path, monkeypatch):
    path = as_wfdb(tmp_path)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "x")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(InputError, match="must be readable; got Permission denied"):
            read(path)
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match="a folder must be readable; got Permission denied"):
        find_recordings([tmp_path])


def test_uneven_time_is_refused(tmp_path):
    table = as_table().with_columns(time_s=pl.col("time_s") ** 2)
    table.write_csv(tmp_path / "x.csv")
    with pytest.raises(InputError, match="equal steps"):
        read(tmp_path / "x.csv", units="uV")
    assert read(tmp_path / "x.csv", units="uV", fs=100).fs == 100


def test_text_in_a_signal_column_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("time_s,I\n0,a\n0.002,b\n")
    with pytest.raises(FormatError, match="must hold numbers"):
        read(tmp_path / "x.csv", units="mV")


@pytest.mark.parametrize("name", ["npy", "csv", "parquet"])
def test_mutated_files_raise_nothing_but_input_errors(name, tmp_path):
    rng = np.random.default_rng(1)
    path = WRITERS[name](tmp_path)
    good = path.read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for trial in range(200):
        mutated = bytearray(good)
        reach = 130 if trial % 2 else len(good)  # half of them in the header
        for at in rng.integers(0, reach, rng.integers(1, 6)):
            mutated[at] = rng.integers(256)
        path.write_bytes(mutated[: rng.integers(len(good))] if trial % 5 == 0 else mutated)
        try:
            read(path)
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5


def test_an_array_of_something_else_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(5))
    with pytest.raises(FormatError, match=r"2-D array of numbers; got shape \(5,\)"):
        read(tmp_path / "x.npy", fs=1, leads=("I",), units="mV")


def test_a_table_of_other_leads_is_read_by_what_is_declared(tmp_path):
    pl.DataFrame({"time_s": [0.0, 0.004, 0.008], "MLII": [1, 2, 3]}).write_csv(tmp_path / "x.csv")
    (tmp_path / "x.json").write_text('{"leads": ["MLII"], "units": "V"}')
    r = read(tmp_path / "x.csv")
    assert (r.leads, r.fs) == (("MLII",), 250)
    assert r["MLII"].tolist() == [1000, 2000, 3000]
    pl.DataFrame({"I": [1]}).write_csv(tmp_path / "x.csv")
    with pytest.raises(InputError, match="must declare fs"):
        read(tmp_path / "x.csv")


# --- spans and windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_windows_of_every_format_are_parts_of_the_whole(name, tmp_path):
    path = WRITERS[name](tmp_path)
    source, whole = open_recording(path), read(path)
    assert (source.n_samples, source.fs, source.duration) == (whole.n_samples, whole.fs, whole.duration)
    seconds = whole.duration / 4.7
    windows = list(source.windows(seconds, overlap=seconds / 5))
    assert len(windows) == 5
    for offset, window in windows:
        first = round(offset * whole.fs)
        np.testing.assert_array_equal(window.signal, whole.signal[:, first : first + window.n_samples])
        assert (window.id, window.leads, window.fs) == (whole.id, whole.leads, whole.fs)
        assert window.signal.T.flags.c_contiguous
    ends = [offset + window.duration for offset, window in windows]
    assert windows[0][0] == 0
    assert ends[-1] == whole.duration
    reach = 2 * round(seconds / 5 * whole.fs) / whole.fs
    for (offset, _), end in zip(windows[1:], ends[:-1], strict=True):
        assert end - offset == pytest.approx(reach, abs=1e-9)


@pytest.mark.parametrize(
    ("seconds", "pieces"), [(1.0, 10), (4.0, 2), (3.9, 3), (10.0, 1), (60.0, 1), (7.0, 1), (6.0, 2)]
)
def test_the_last_piece_is_between_half_and_half_as_long_again(seconds, pieces, tmp_path):
    write_wfdb(Recording(np.zeros((1, 1000)), ("I",), 100, "x"), tmp_path / "x.hea")
    windows = list(open_recording(tmp_path / "x.hea").windows(seconds, overlap=0))
    assert len(windows) == pieces
    assert sum(window.n_samples for _, window in windows) == 1000
    if pieces > 1:
        assert 0.5 * seconds <= windows[-1][1].duration <= 1.5 * seconds


@pytest.mark.parametrize(("seconds", "overlap"), [(0, 0), (-1, 0), (1, -1)])
def test_windows_that_can_not_be_are_refused(seconds, overlap, tmp_path):
    source = open_recording(as_wfdb(tmp_path))
    with pytest.raises(InputError, match="windows must be longer than 0 s"):
        next(source.windows(seconds, overlap=overlap))


def test_a_window_of_format_212_may_begin_within_a_byte(tmp_path):
    # Three leads: every second frame begins in the middle of three bytes.
    steps = np.random.default_rng(3).integers(-2000, 2000, (11, 3))
    flat = steps.ravel() & 0xFFF
    pairs = np.append(flat, 0).reshape(-1, 2)
    content = np.stack([pairs[:, 0] & 255, pairs[:, 0] >> 8 | pairs[:, 1] >> 8 << 4, pairs[:, 1] & 255], axis=1)
    (tmp_path / "x.dat").write_bytes(content.astype(np.uint8).tobytes())
    (tmp_path / "x.hea").write_text("x 3 10 11\n" + "x.dat 212 1/mV\n" * 3)
    assert read(tmp_path / "x.hea").signal.T.tolist() == steps.tolist()
    for first in range(11):
        assert open_recording(tmp_path / "x.hea").span(first, 11).signal.T.tolist() == steps[first:].tolist()


def test_a_window_begins_when_it_was_recorded(tmp_path):
    start = datetime(2150, 1, 2, 3, 4, 5)
    write_wfdb(Recording(np.zeros((1, 1000)), ("I",), 100, "x", start), tmp_path / "x.hea")
    windows = list(open_recording(tmp_path / "x.hea").windows(2.5, overlap=0))
    assert [window.start for _, window in windows] == [start + timedelta(seconds=s) for s in (0, 2.5, 5, 7.5)]


def test_links_to_folders_are_not_followed_and_links_to_files_are(tmp_path):
    (tmp_path / "real").mkdir()
    as_wfdb(tmp_path / "real")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    for suffix in (".hea", ".dat"):
        (tmp_path / "real" / f"y{suffix}").symlink_to(tmp_path / "real" / f"x{suffix}")
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["real/x", "real/y"]
