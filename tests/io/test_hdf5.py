"""HDF5 in the layouts of the CODE datasets, written by h5py; links, bombs and broken files."""

import json
import sys
import warnings
import zlib

import numpy as np
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.terms import FormatError, InputError, MissingExtra

h5py = pytest.importorskip("h5py", reason="the h5py package is not installed")

EXAMS = [1169160, 2873686, 168405, 0]
SPANS = [(0, 4096), (648, 3448), (581, 3515)]  # 10 s, 7 s as documented, and 7.3 s as most are
PLAIN = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
TEST_ORDER = ("I", "II", "III", "aVL", "aVF", "aVR", "V1", "V2", "V3", "V4", "V5", "V6")


def ecgs():
    """Einthoven's and Goldberger's laws to 0.01 mV, shape (4, 4096, 12); the last row is empty."""
    rng = np.random.default_rng(0)
    out = np.zeros((4, 4096, 12), dtype=np.float32)
    for row, (first, stop) in enumerate(SPANS):
        i, ii = rng.normal(0, 1, (2, stop - first))
        limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
        out[row, first:stop] = np.stack([*limb, *rng.normal(0, 1, (6, stop - first))], axis=1)
        out[row, first:stop] += rng.normal(0, 0.01, (stop - first, 12))
    return out


def write(path, *, leads=PLAIN, exams=EXAMS, **options):
    columns = [PLAIN.index(lead) for lead in leads]
    with h5py.File(path, "w") as file:
        file.create_dataset("tracings", data=ecgs()[:, :, columns], **options)
        if exams is not None:
            file.create_dataset("exam_id", data=np.array(exams))
    return path


@pytest.mark.parametrize(
    "options",
    [{}, {"chunks": True}, {"chunks": (1, 4096, 12), "compression": "gzip", "shuffle": True},
     {"chunks": (2, 500, 5), "compression": "gzip", "fletcher32": True}],
)  # fmt: skip
def test_code_15_gives_each_exam_without_its_padding(options, tmp_path):
    path = write(tmp_path / "exams_part0.hdf5", **options)
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["1169160", "2873686", "168405"]
    for row, (first, stop) in enumerate(SPANS):
        source = open_recording(path, entry=str(EXAMS[row]))
        r = source.read()
        assert (r.id, r.fs, r.leads, r.n_samples) == (str(EXAMS[row]), 400, PLAIN, stop - first)
        np.testing.assert_array_equal(r.signal.T, ecgs()[row, first:stop])
        assert len(source.notes) == 1
    assert open_recording(path, entry="168405", units="uV").read()["I"][0] == pytest.approx(ecgs()[2, 581, 0] / 1000)
    assert open_recording(path, entry="168405", units="uV").notes == ()


@pytest.mark.parametrize("exams", [EXAMS, None])
@pytest.mark.parametrize("stored", [PLAIN, TEST_ORDER])
def test_goldberger_tells_the_order_of_the_augmented_leads(exams, stored, tmp_path):
    path = write(tmp_path / "x.hdf5", leads=stored, exams=exams)
    entries = [f.entry for f in find_recordings([path])]
    source = open_recording(path, entry=entries[0])
    for n, lead in enumerate(PLAIN):
        np.testing.assert_array_equal(source.read()[lead], ecgs()[0, :, n])
    as_published = stored == (PLAIN if exams else TEST_ORDER)
    assert len(source.notes) == (1 if as_published else 2)


def test_the_published_order_stands_where_goldberger_says_nothing(tmp_path):
    noise = np.random.default_rng(1).normal(0, 1, (1, 500, 12))
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["tracings"] = noise
    assert read(tmp_path / "x.hdf5").leads == TEST_ORDER
    assert read(tmp_path / "x.hdf5").id == "0"


def test_an_entry_must_be_named_and_must_hold_samples(tmp_path):
    path = write(tmp_path / "x.hdf5", exams=None)
    with pytest.raises(InputError, match=r"must be said which .*; got 4, such as 0, 1, 2 in x\.hdf5"):
        read(path)
    with pytest.raises(InputError, match=r"one of the 4 that x\.hdf5 holds; got '7'"):
        read(path, entry="7")
    with pytest.raises(FormatError, match=r"nothing but zeros for 3 of x\.hdf5"):
        read(path, entry="3")


def test_a_file_that_changed_is_listed_anew(tmp_path):
    path = write(tmp_path / "x.hdf5")
    assert read(path, entry="168405").n_samples == 2934
    write(path, exams=[5, 6, 7, 8], chunks=True)
    assert read(path, entry="7").n_samples == 2934


def test_matrices_of_any_file_are_read_as_declared(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a.b"], file["c"] = np.arange(8).reshape(4, 2), np.arange(6).reshape(2, 3)
        file["text"], file["cube"] = "text", np.zeros((2, 2, 2))
        file["away"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(InputError, match="got none"):
        find_recordings([tmp_path])
    (tmp_path / "x.json").write_text(json.dumps({"fs": 500, "leads": ["I", "II"], "units": "uV"}))
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["a.b", "c"]
    source = open_recording(tmp_path / "x.h5", entry="a.b")
    assert (source.read().id, source.step_mv) == ("a.b", (0.001, 0.001))
    np.testing.assert_allclose(source.read()["II"], [0.001, 0.003, 0.005, 0.007], rtol=1e-6)
    assert read(tmp_path / "x.h5", entry="c").signal.shape == (2, 3)


def linked(file):
    file["tracings"] = h5py.ExternalLink("other.h5", "/tracings")


def soft(file):
    file["t"] = np.zeros((1, 5, 12))
    file["tracings"] = h5py.SoftLink("/t")


def virtual(file):
    layout = h5py.VirtualLayout((1, 5, 12), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(1, 5, 12))
    file.create_virtual_dataset("tracings", layout)


def external(file):
    file.create_dataset("tracings", (1, 5, 12), "f4", external=[("other.raw", 0, 240)])


def group(file):
    file.create_group("tracings")


def text(file):
    file["tracings"] = "text"


@pytest.mark.parametrize("store", [linked, soft, virtual, external, group, text])
def test_what_lies_elsewhere_or_is_no_dataset_is_refused(store, tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        store(file)
    with pytest.raises(FormatError, match=r"'tracings' must be a dataset of numbers within x\.hdf5"):
        read(tmp_path / "x.hdf5", entry="0")


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"tracings": np.zeros((1, 5, 11))}, r"\(recordings, samples, 12\); got \(1, 5, 11\)"),
        ({"tracings": np.zeros((1, 5, 12)), "exam_id": np.zeros(2, int)}, r"for each of 1 recordings; got \(2,\)"),
        ({"tracings": np.zeros((1, 5, 12)), "exam_id": np.zeros(1)}, r"a whole number .* got \(1,\) of float64"),
    ],
)
def test_datasets_of_other_shapes_are_refused(datasets, message, tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        for name, content in datasets.items():
            file[name] = content
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "x.hdf5", entry="0")


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((10**9, 4096, 12), {"chunks": (1, 4096, 12)}, "must have the shape"),
        ((2, 10**7, 12), {"chunks": (1, 4096, 12)}, "at most 16777216 values; got 120000000"),
        ((2, 4096, 12), {"chunks": (1, 4, 1), "compression": "gzip"}, "at most 10000 chunks; got 12288"),
        ((2, 10**6, 12), {"chunks": (2, 10**6, 12)}, r"in chunks of at most 67108864 bytes; got filters \[\] and 96"),
        ((2, 40, 12), {"chunks": (2, 40, 12), "compression": "lzf"}, r"got filters \[32000\]"),
    ],
)
def test_claims_beyond_bounds_are_refused_before_anything_is_allocated(shape, options, message, tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_dataset("tracings", shape, "f4", **options)
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "x.hdf5", entry="0")


def test_a_chunk_that_inflates_to_more_than_it_should_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        tracings = file.create_dataset("tracings", (1, 50, 12), "f4", chunks=(1, 50, 12), compression="gzip")
        tracings.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(10**8)))
    with pytest.raises(FormatError, match="a chunk must inflate to 2400 bytes; got more from byte"):
        read(tmp_path / "x.hdf5", entry="0")


def test_without_the_package_the_way_out_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "x.hdf5", exams=[1, 2, 3, 4])
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"needs the h5py package.*Run: pip install 'twelvelead\[formats\]'"):
        read(path, entry="1")


def test_mutated_files_raise_nothing_but_input_errors(tmp_path):
    rng = np.random.default_rng(3)
    path = tmp_path / "x.hdf5"
    with h5py.File(path, "w") as file:
        chunks = {"chunks": (1, 100, 12), "compression": "gzip"}
        file.create_dataset("tracings", data=ecgs()[:, 1000:1200], **chunks)
        file.create_dataset("exam_id", data=np.array(EXAMS))
    good = path.read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for trial in range(400):
        mutated = bytearray(good)
        for at in rng.integers(0, 3000 if trial % 2 else len(good), rng.integers(1, 4)):
            mutated[at] = rng.integers(256)
        path.write_bytes(mutated[: rng.integers(len(good))] if trial % 6 == 0 else mutated)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(path, entry="168405")
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5
