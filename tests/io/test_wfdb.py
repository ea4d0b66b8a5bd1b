"""WFDB records made by hand from the specification, mutated ones, and real ones against the wfdb package."""

import sys
import warnings
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.io import find_recordings, read
from twelvelead.io.formats.wfdb import read_wfdb
from twelvelead.io.formats.wfdb_header import parse_header, read_header
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.terms import Error, FormatError, InputError, MissingExtra

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def record(folder, header, **files):
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(bytes(content))
    (folder / "r.hea").write_text(header)
    return folder / "r.hea"


# --- each format, by hand ---------------------------------------------------------------------------------------------


def test_format_16_is_little_endian_and_interleaved(tmp_path):
    # Frames (1, -2), (256, -256): 01 00 fe ff 00 01 00 ff. Gain 100 steps per mV, second signal's zero is at 10.
    path = record(
        tmp_path,
        "r 2 250 2\nr.dat 16 100/mV 16 0 1 257 0 I\nr.dat 16 100(10)/mV 16 0 -2 -258 0 AVF\n",
        r_dat=[0x01, 0x00, 0xFE, 0xFF, 0x00, 0x01, 0x00, 0xFF],
    )
    r = read(path)
    assert r.leads == ("I", "aVF")
    assert r.fs == 250
    np.testing.assert_allclose(r.signal, [[0.01, 2.56], [-0.12, -2.66]], atol=1e-7)


def test_format_212_packs_two_samples_in_three_bytes(tmp_path):
    # 100 = 0x064 and -2 = 0xffe: 64 | (0x0 and 0xf nibbles: f0) | fe; then an odd last sample 5 in two bytes.
    path = record(tmp_path, "r 1 250 3\nr.dat 212 1/mV 12 0 100 103 0 II\n", r_dat=[0x64, 0xF0, 0xFE, 0x05, 0x00])
    assert read(path).signal.tolist() == [[100.0, -2.0, 5.0]]


def test_format_80_is_offset_binary(tmp_path):
    path = record(tmp_path, "r 1 250 3\nr.dat 80 1/mV 8 0 1 -1 0 V1\n", r_dat=[129, 126, 128])
    assert read(path).signal.tolist() == [[1.0, -2.0, 0.0]]


def test_format_24_and_32_keep_the_sign(tmp_path):
    path = record(tmp_path, "r 1 250 2\nr.dat 24 1/mV 24 0 1 -1 0 V2\n", r_dat=[1, 0, 0, 0xFE, 0xFF, 0xFF])
    assert read(path).signal.tolist() == [[1.0, -2.0]]
    path = record(tmp_path, "r 1 250 2\nr.dat 32 1/mV 32 0 1 -1 0 V2\n", r_dat=[1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])
    assert read(path).signal.tolist() == [[1.0, -2.0]]


def test_the_challenge_layout_skips_the_matlab_header(tmp_path):
    path = record(tmp_path, "r 1 500 2\nr.mat 16x1+24 1000/mV 16 0 7 16 0 V3\n", r_mat=[*[0xAA] * 24, 7, 0, 9, 0])
    np.testing.assert_allclose(read(path).signal, [[0.007, 0.009]], atol=1e-9)


@given(st.lists(st.integers(-2047, 2047), min_size=1, max_size=31))
def test_format_212_against_the_specification_bit_by_bit(values):
    # Pair (a, b): low byte of a; high 4 bits of b then of a; low byte of b. All are 12-bit two's complement.
    content = []
    for n in range(0, len(values), 2):
        a = values[n] & 0xFFF
        content += [a & 0xFF, a >> 8]
        if n + 1 < len(values):
            b = values[n + 1] & 0xFFF
            content[-1] |= b >> 8 << 4
            content.append(b & 0xFF)
    with TemporaryDirectory() as folder:
        path = record(Path(folder), f"r 1 250 {len(values)}\nr.dat 212 1/mV\n", r_dat=content)
        assert read(path).signal.tolist() == [values]


@given(st.lists(st.integers(-(2**23) + 1, 2**23 - 1), min_size=1, max_size=20))
def test_format_24_against_integer_arithmetic(values):
    content = b"".join(value.to_bytes(3, "little", signed=True) for value in values)
    with TemporaryDirectory() as folder:
        path = record(Path(folder), f"r 1 250 {len(values)}\nr.dat 24 1/mV\n", r_dat=content)
        assert read(path).signal.tolist() == [values]


def test_format_32_takes_its_baseline_off_before_rounding(tmp_path):
    # 2e9 + 1 steps on a baseline of 2e9 is one step; in float32 both are the same number.
    content = (2_000_000_001).to_bytes(4, "little")
    path = record(tmp_path, "r 1 250 1\nr.dat 32 1(2000000000)/mV\n", r_dat=content)
    assert read(path).signal.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("format_", "content"),
    [(16, [0, 0x80]), (80, [0]), (212, [0x00, 0x08]), (24, [0, 0, 0x80]), (32, [0, 0, 0, 0x80])],
)
def test_the_lowest_value_is_a_missing_sample(tmp_path, format_, content):
    path = record(tmp_path, f"r 1 250 1\nr.dat {format_} 1/mV 16 0\n", r_dat=content)
    assert np.isnan(read(path).signal).all()


def test_leads_are_mapped_by_name_as_in_mimic(tmp_path):
    # MIMIC-IV-ECG stores aVF before aVL.
    leads = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"]
    lines = "".join(f"r.dat 16 1/mV 16 0 {n} {n} 0 {lead}\n" for n, lead in enumerate(leads))
    path = record(tmp_path, f"r 12 500 1\n{lines}", r_dat=np.arange(12, dtype="<i2").tobytes())
    r = read(path)
    assert r["aVF"][0] == 4
    assert r["aVL"][0] == 5


def test_units_become_millivolts(tmp_path):
    lines = "r.dat 16 1/uV 16 0 1 1 0 I\nr.dat 16 1000/V 16 0 1 1 0 II\nr.dat 16 0 16 0 1 1 0 III\n"
    r = read(record(tmp_path, f"r 3 500 1\n{lines}", r_dat=[1, 0, 1, 0, 1, 0]))
    np.testing.assert_allclose(r.signal[:, 0], [0.001, 1.0, 1 / 200], rtol=0, atol=1e-8)


def test_a_signal_that_is_no_voltage_is_left_out(tmp_path):
    lines = "r.dat 16 1/NU 16 0 1 1 0 PLETH\nr.dat 16 1/mV 16 0 2 2 0 II\n"
    r = read(record(tmp_path, f"r 2 500 1\n{lines}", r_dat=[1, 0, 2, 0]))
    assert r.leads == ("II",)
    assert r.signal.tolist() == [[2.0]]


def test_several_files_make_one_record(tmp_path):
    lines = "a.dat 16 1/mV 16 0 1 1 0 I\nb.dat 80 1/mV 8 0 2 2 0 II\n"
    assert read(record(tmp_path, f"r 2 500 1\n{lines}", a_dat=[1, 0], b_dat=[130])).signal.tolist() == [[1.0], [2.0]]


def test_the_number_of_samples_may_be_left_to_the_file(tmp_path):
    path = record(tmp_path, "r 2 500\nr.dat 16 1/mV\nr.dat 16 1/mV\n", r_dat=[1, 0, 2, 0, 3, 0, 4, 0])
    r = read(path)
    assert r.signal.tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert r.leads == ("signal 0", "signal 1")


def test_files_of_different_length_make_no_record(tmp_path):
    path = record(tmp_path, "r 2 500\na.dat 16 1/mV\nb.dat 16 1/mV\n", a_dat=[1, 0], b_dat=[1, 0, 2, 0])
    with pytest.raises(FormatError, match=r"equally long; got \[1, 2\] samples"):
        read(path)


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "start"),
    [
        ("10:02:03 14/11/1984", datetime(1984, 11, 14, 10, 2, 3)),
        ("10:02:03.5 14/11/1984", datetime(1984, 11, 14, 10, 2, 3, 500_000)),
        ("10:02:03", None),
        ("10:02:03 35/13/1984", None),
        ("05:03 05-May-2020", None),
        ("", None),
    ],
)
def test_an_odd_date_is_no_reason_to_lose_a_record(when, start):
    assert parse_header(f"r 0 500 10 {when}\n", where="r.hea").start == start


def test_comments_are_kept():
    header = parse_header("r 0 500 10\n# Age: 84\n#Dx: 426177001\n", where="r.hea")
    assert header.comments == ("Age: 84", "Dx: 426177001")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_headers_of_either_encoding_are_read(encoding, tmp_path):
    (tmp_path / "r.hea").write_bytes("r 1 500 1\nr.dat 16 2/µV\n# Müller\n".encode(encoding))
    (tmp_path / "r.dat").write_bytes(b"\4\0")
    assert read_header(tmp_path / "r.hea").comments == ("Müller",)
    np.testing.assert_allclose(read(tmp_path / "r.hea").signal, [[0.002]], rtol=0, atol=1e-9)


def test_a_header_that_is_none_is_refused_unread(tmp_path):
    (tmp_path / "r.hea").write_bytes(b"#" * 1_000_001)
    with pytest.raises(FormatError, match="shorter than 1000000 bytes; got 1000001"):
        read(tmp_path / "r.hea")
    with pytest.raises(InputError, match="must have its header"):
        read_header(tmp_path / "nobody.hea")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a record line; got none in h.hea"),
        ("r\n", "count its signals; got 'r' in h.hea, line 1"),
        ("r two\n", "a whole number must stand here"),
        ("r -1\n", "0 to 512 signals"),
        ("r 99999\n", "0 to 512 signals"),
        ("r 1 0\nr.dat 16\n", "between 0 and 1e6 Hz"),
        ("r 1 nan\nr.dat 16\n", "between 0 and 1e6 Hz"),
        ("r 1 500 -4\nr.dat 16\n", "must not be negative"),
        ("r 2 500 10\nr.dat 16\n", "a line per signal; got 1 of 2"),
        ("r 1 500 10\nr.dat\n", "must name a file and a format"),
        ("r 1 500 10\nr.dat sixteen\n", "as in 16 or 16x1"),
        ("# hello\nr 1 500 10\nr.dat 16 lots/mV\n", "line 3"),
        ("r 1 500 10\nr.dat 16x0\n", "at least one sample of each signal"),
        ("r 1 500 10\nr.dat 16 1e-320/mV\n", "a gain must lie between 1e-06 and 1e"),
        ("r 1 500 10\nr.dat 16 1e999/mV\n", "a gain must lie between"),
        ("r 1 500 10\nr.dat 16 1.2.3/mV\n", "a number must stand here; got '1.2.3'"),
        (f"r 1 500 10\nr.dat 16+{10**20}\n", "a whole number must be at most 9007199254740992"),
        (f"r 1 500 {'9' * 5000}\n", "a whole number must stand here; got '999"),
    ],
)
def test_a_broken_header_says_where(text, message):
    with pytest.raises(FormatError, match=message):
        parse_header(text, where="h.hea")


# --- bad input --------------------------------------------------------------------------------------------------------


def test_a_truncated_file_says_what_is_missing(tmp_path):
    path = record(tmp_path, "r 2 500 10\nr.dat 16 1/mV\nr.dat 16 1/mV\n", r_dat=[0] * 30)
    with pytest.raises(FormatError, match="must have 40 bytes of samples from byte 0; got 30 in record 'r'"):
        read(path)


def test_a_size_that_a_header_claims_is_checked_before_it_is_allocated(tmp_path):
    path = record(tmp_path, "r 1 500 50000000000\nr.dat 16 1/mV\n", r_dat=[0] * 30)
    with pytest.raises(FormatError, match="must have 100000000000 bytes"):
        read(path)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.dat",
        "/etc/passwd",
        "a/b.dat",
        "..",
        "~",
        "http://x/y.dat",
        "..\\x.dat",
        "-",
        "x\0.dat",
        "x" * 300,
        "c:x.dat",
    ],
)
def test_a_header_may_not_name_files_outside_its_folder(tmp_path, name):
    (tmp_path / "secret.dat").write_bytes(b"\1\0")
    (tmp_path / "in").mkdir()
    path = record(tmp_path / "in", f"r 1 500 1\n{name} 16 1/mV\n")
    with pytest.raises(FormatError, match="files of its own folder"):
        read(path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.dat").write_bytes(b"\1\0")
    (tmp_path / "in").mkdir()
    path = record(tmp_path / "in", "r 1 500 1\nr.dat 16 1/mV\n")
    (tmp_path / "in" / "r.dat").symlink_to(tmp_path / "secret.dat")
    with pytest.raises(FormatError, match="a link out of it"):
        read(path)


def test_a_missing_signal_file_or_header_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"'r.dat' must lie beside its header"):
        read(record(tmp_path, "r 1 500 1\nr.dat 16 1/mV\n"))
    with pytest.raises(InputError, match="a recording must be there"):
        read(tmp_path / "nobody.hea")


def test_a_wrong_checksum_is_reported(tmp_path):
    path = record(tmp_path, "r 1 500 1\nr.dat 16 1/mV 16 0 1 2 0 I\n", r_dat=[1, 0])
    with pytest.warns(UserWarning, match="should have the checksum 2; got 1"):
        assert read(path).signal.tolist() == [[1.0]]


def test_what_is_beyond_the_reader_names_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wfdb", None)
    path = record(tmp_path, "r 1 500 1\nr.dat 310 1/mV\n", r_dat=[0] * 4)
    with pytest.raises(MissingExtra, match=r"signal format 310.*pip install 'twelvelead\[formats\]'"):
        read(path)


@pytest.mark.parametrize(("format_", "per_kilobyte"), [(8, 1000), (61, 500), (160, 500), (310, 750), (311, 750)])
def test_what_is_left_to_the_wfdb_package_is_measured_first(format_, per_kilobyte, tmp_path):
    # That package fills up what is missing of formats 310 and 311, silently.
    pytest.importorskip("wfdb", reason="the wfdb package is not installed")
    for n_samples, content in ((per_kilobyte, 1000), (per_kilobyte + 3, 1000), (5 * 10**10, 1000)):
        header = f"r 1 500 {n_samples}\nr.dat {format_} 1/mV\n"
        path = record(tmp_path, header, r_dat=[0] * content)
        if n_samples == per_kilobyte:
            assert read(path).n_samples == per_kilobyte
            continue
        with pytest.raises(FormatError, match=r"bytes of samples; got 1000 in record 'r'\. The file is cut short"):
            read(path)


def test_what_the_wfdb_package_refuses_is_one_of_our_errors(tmp_path):
    pytest.importorskip("wfdb", reason="the wfdb package is not installed")
    path = record(tmp_path, "r 1 500 3\nr.dat 508 1/mV\n", r_dat=[0] * 4)  # no FLAC stream
    with pytest.raises(FormatError, match="must be readable by the wfdb package"):
        read(path)


def test_a_format_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"must be one of 8, 16, 24, .*, 524; got 17 in r\.hea"):
        read(record(tmp_path, "r 2 500 3\nr.dat 8 1/mV\nr.dat 17 1/mV\n", r_dat=[0] * 4))


def test_several_samples_per_frame_and_skew_are_left_to_the_wfdb_package(tmp_path):
    pytest.importorskip("wfdb", reason="the wfdb package is not installed")
    path = record(tmp_path, "r 1 500 2\nr.dat 16x2 1/mV\n", r_dat=[1, 0, 3, 0, 5, 0, 7, 0])
    assert read(path).signal.tolist() == [[2.0, 6.0]]  # the mean of each frame
    path = record(tmp_path, "r 2 500 3\nr.dat 16 1/mV\nr.dat 16:1 1/mV\n", r_dat=[1, 0, 9, 0, 2, 0, 8, 0, 3, 0, 7, 0])
    assert read(path).signal[:, :2].tolist() == [[1.0, 2.0], [8.0, 7.0]]


def test_mutated_records_raise_nothing_but_the_error_tree(tmp_path):
    rng = np.random.default_rng(0)
    samples = rng.integers(-2000, 2000, (50, 3)).astype("<i2")
    good = Recording(samples.T / 1000, ("I", "II", "V1"), 500, "r")
    write_wfdb(good, tmp_path / "r.hea")
    header, data = (tmp_path / "r.hea").read_bytes(), (tmp_path / "r.dat").read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for trial in range(600):
        mutated = bytearray(header)
        for _ in range(rng.integers(1, 4)):
            kind, at = rng.integers(3), rng.integers(len(mutated))
            if kind == 0:
                mutated[at] = rng.integers(256)
            elif kind == 1:
                del mutated[at : at + rng.integers(1, 8)]
            else:
                mutated[at:at] = bytes(rng.choice(list(b"0123456789 /.()+-\n"), rng.integers(1, 5)).astype(np.uint8))
            if not mutated:
                mutated = bytearray(b"\n")
        (tmp_path / "r.hea").write_bytes(mutated)
        (tmp_path / "r.dat").write_bytes(data[: rng.integers(len(data))] if trial % 3 == 0 else data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read_wfdb(tmp_path / "r.hea")
            outcomes["read"] += 1
        except Error:
            outcomes["refused"] += 1
    assert outcomes["read"] > 50
    assert outcomes["refused"] > 50


# --- writing ----------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_to_one_step(tmp_path):
    rng = np.random.default_rng(1)
    signal = rng.normal(0, 1, (12, 700)).astype(np.float32)
    signal[3, 10:20] = np.nan
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    r = Recording(signal, leads, 250, id="x", start=datetime(2150, 1, 2, 3, 4, 5))
    write_wfdb(r, tmp_path / "x.hea", adc_per_mv=1000)
    back = read(tmp_path / "x.hea")
    assert (back.leads, back.fs, back.id, back.start) == (r.leads, r.fs, r.id, r.start)
    assert np.array_equal(np.isnan(back.signal), np.isnan(signal))
    assert np.nanmax(np.abs(back.signal - signal)) <= 0.0005 + 1e-6


def test_a_gain_too_large_is_refused(tmp_path):
    with pytest.raises(InputError, match="Lower adc_per_mv below 16384"):
        write_wfdb(Recording(np.full((1, 5), 2.0), ("I",), 500, "x"), tmp_path / "x.hea", adc_per_mv=20000)


# --- real records, against the independent reader ---------------------------------------------------------------------


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to read")
@pytest.mark.parametrize(("database", "n"), [("ptbxl", 350), ("ludb", 100), ("challenge2021", 50), ("mitdb", 12)])
def test_every_real_record_reads(database, n):
    found = find_recordings([DATA / database])
    assert len(found) == n
    for item in found[:: max(1, n // 20)]:
        r = read(item.path)
        assert r.n_samples > 0
        assert np.nanmax(np.abs(r.signal)) < 40


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to read")
@pytest.mark.parametrize(
    "name",
    [
        "ptbxl/records500/00000/00001_hr",
        "ludb/1",
        "challenge2021/E07500",
        "mitdb/100",
        "ecg-id/Person_01/rec_1",
        "formats/wfdb/a103l",
        "formats/wfdb/v102s",
    ],
)
def test_values_equal_the_wfdb_package(name):
    wfdb = pytest.importorskip("wfdb", reason="the wfdb package is not installed: no independent reader")
    theirs = wfdb.rdrecord(str(DATA / name))
    voltages = [unit == "mV" for unit in theirs.units]  # what is no voltage, such as a pulse wave, is left out
    ours = read(DATA / f"{name}.hea").signal
    # float32 keeps 24 bits: 1e-7 of an amplitude of up to about 10 mV.
    np.testing.assert_allclose(ours, theirs.p_signal.T[voltages], rtol=0, atol=1e-6)
