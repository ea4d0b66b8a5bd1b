"""MATLAB files written by scipy, real ones against it, and broken ones."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.terms import FormatError, InputError

NOISE = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "noise"
STEPS = np.random.default_rng(0).integers(-3000, 3000, (500, 3)).astype(np.int16)
LEADS = ("I", "II", "V1")


@pytest.mark.skipif(not NOISE.is_dir(), reason="../shared/data is absent: no real files to read")
@pytest.mark.parametrize("name", ["BW", "EM", "MA"])
def test_real_files_equal_scipy(name):
    theirs = loadmat(NOISE / f"{name}.mat")[name]
    source = open_recording(NOISE / f"{name}.mat", fs=360, leads=("sample", "noise 1", "noise 2"), units="uV")
    assert (source.read().leads, source.fs, source.n_samples) == (("noise 1", "noise 2"), 360, len(theirs))
    assert source.step_mv == (0.001, 0.001)
    # float32 keeps 24 bits: 6e-8 of up to 1 mV.
    np.testing.assert_allclose(source.read().signal, theirs[:, 1:].T / 1000, rtol=0, atol=1e-6)


@pytest.mark.parametrize("options", [{"format": "4"}, {}, {"do_compression": True}])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "i4", "u1", "u2", "i8", "u8", ">f8", ">i2"])
@pytest.mark.parametrize("turn", [False, True])
def test_every_version_and_type_equals_scipy(options, dtype, turn, tmp_path):
    samples = (STEPS if np.dtype(dtype).kind != "u" else np.abs(STEPS) % 256).astype(dtype)
    if options.get("format") == "4" and np.dtype(dtype).newbyteorder("=").name in ("int64", "uint64"):
        samples = samples.astype("f8")  # version 4 has no such numbers
    savemat(tmp_path / "x.mat", {"m": samples.T if turn else samples}, **options)
    theirs = loadmat(tmp_path / "x.mat")["m"].astype(float)
    r = read(tmp_path / "x.mat", fs=500, leads=LEADS, units="uV")
    np.testing.assert_allclose(r.signal.T, (theirs.T if turn else theirs) / 1000, rtol=0, atol=1e-6)


def test_among_several_variables_val_or_the_largest_matrix_is_taken(tmp_path):
    others = {"t": "text", "c": np.array([1, "a"], dtype=object), "s": {"q": 1}, "z": 1j * np.ones((900, 3)), "n": 5.0}
    for name in ("val", "m"):
        savemat(tmp_path / "x.mat", others | {name: STEPS, "a": np.zeros((3, 4)), "e": np.zeros((0, 3))})
        assert read(tmp_path / "x.mat", fs=500, leads=LEADS, units="uV")["V1"][7] == pytest.approx(STEPS[7, 2] / 1000)
    savemat(tmp_path / "x.mat", others | {"val": STEPS, "a": np.zeros((900, 3))})
    assert read(tmp_path / "x.mat", fs=500, leads=LEADS, units="uV").n_samples == 500


def test_a_big_endian_file_of_version_4_is_read(tmp_path):
    header = struct.pack(">5i", 1030, 2, 3, 0, 2) + b"m\0"  # 16-bit numbers, column by column
    (tmp_path / "x.mat").write_bytes(header + struct.pack(">6h", 1, 2, 3, 4, 5, 6))
    r = read(tmp_path / "x.mat", fs=500, leads=("I", "II"), units="mV")
    assert r.signal.tolist() == [[1, 3, 5], [2, 4, 6]]


def test_a_file_is_found_by_its_content_and_must_be_declared(tmp_path):
    savemat(tmp_path / "x", {"val": STEPS}, appendmat=False)
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["x"]
    with pytest.raises(InputError, match="must declare fs"):
        read(tmp_path / "x")


def of_version_5(*elements, order="<"):
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x100) + (b"IM" if order == "<" else b"MI")
    return head + b"".join(struct.pack(f"{order}2I", kind, len(content)) + content for kind, content in elements)


ONE_TWO = struct.pack("<2d", 1, 2)


def variable(*, flags=9, shape=(1, 2), kind=9, numbers=ONE_TWO, order="<"):
    parts = [(6, struct.pack(f"{order}2I", flags, 0)), (5, struct.pack(f"{order}{len(shape)}i", *shape))]
    parts += [(1, b"m"), (kind, numbers)]
    out = b""
    for number, content in parts:
        out += struct.pack(f"{order}2I", number, len(content)) + content + bytes(-len(content) % 8)
    return out


def test_files_made_by_hand_are_read(tmp_path):
    (tmp_path / "x.mat").write_bytes(of_version_5((14, variable())))
    assert read(tmp_path / "x.mat", fs=1, leads=("I",), units="mV").signal.tolist() == [[1, 2]]
    big = variable(kind=3, numbers=struct.pack(">2h", 3, -4), order=">")
    (tmp_path / "x.mat").write_bytes(of_version_5((14, big), order=">"))
    assert read(tmp_path / "x.mat", fs=1, leads=("I",), units="mV").signal.tolist() == [[3, -4]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (of_version_5((14, variable()))[:-1], "must be within its MATLAB file; got 72 bytes at byte 128 of x.mat"),
        (of_version_5((14, variable(shape=(1, 3)))), r"got 16 bytes of type 9 for \(1, 3\) at byte 128"),
        (of_version_5((14, variable(shape=(-1, -2)))), r"got 16 bytes of type 9 for \(-1, -2\)"),
        (of_version_5((14, variable(shape=(2**31 - 1, 2**31 - 1)))), "as many numbers as its sides say"),
        (of_version_5((14, variable(kind=142))), "got 16 bytes of type 142"),  # ends the process in scipy
        (of_version_5((14, variable(flags=1))), "must hold a matrix of real numbers; got none"),
        (of_version_5((14, b"")), "must begin with flags, dimensions and name"),
        (of_version_5((14, struct.pack("<2I", 6, 99) + bytes(8))), "its variable of 16 bytes; got 99 from byte 8"),
        (of_version_5((14, struct.pack("<2I", 5 << 16 | 6, 0) + bytes(8))), "within its variable of 16 bytes; got 5"),
        (of_version_5((15, b"no stream")), "must be a zlib stream"),
        (of_version_5((15, zlib.compress(struct.pack("<2I", 14, 99)))), "got 99 bytes, of which 0 are there"),
        (of_version_5((15, zlib.compress(bytes([15, 0, 0, 0, 8, 0, 0, 0]) + bytes(8)))), "must hold a matrix"),
        (b"MATLAB 7.3 MAT-file".ljust(126) + b"IM", "must be of version 4 to 7; got 7.3"),
        (struct.pack("<5i", 0, 2, 3, 0, 2) + b"m\0" + bytes(47), "within its MATLAB file; got another at byte 0"),
        (struct.pack("<5i", 0, 2**30, 2**30, 0, 2) + b"m\0" + bytes(48), "got another at byte 0"),
        (struct.pack("<5i", 0, 0, 0, 0, 2) + b"m\0" + bytes(5), "got another at byte 22"),
    ],
)  # fmt: skip
def test_a_broken_file_says_where(content, message, tmp_path):
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "x.mat", fs=500, leads=("I",), units="mV")


def test_what_inflates_without_end_is_refused(tmp_path):
    stream = zlib.compress(struct.pack("<2I", 14, 10**8) + bytes(10**8))
    (tmp_path / "x.mat").write_bytes(of_version_5((15, stream)))
    with pytest.raises(FormatError, match="inflated to at most 20 times the file; got 100000000 bytes"):
        read(tmp_path / "x.mat", fs=500, leads=("I",), units="mV")


@pytest.mark.parametrize("options", [{"format": "4"}, {}, {"do_compression": True}])
def test_mutated_files_raise_nothing_but_input_errors(options, tmp_path):
    rng = np.random.default_rng(2)
    savemat(tmp_path / "x.mat", {"val": STEPS.T}, **options)
    good = (tmp_path / "x.mat").read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for trial in range(300):
        mutated = bytearray(good)
        for at in rng.integers(0, 200 if trial % 2 else len(good), rng.integers(1, 4)):
            mutated[at] = rng.integers(256)
        (tmp_path / "x.mat").write_bytes(mutated[: rng.integers(len(good))] if trial % 6 == 0 else mutated)
        try:
            read(tmp_path / "x.mat", fs=500, leads=LEADS, units="uV")
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5
