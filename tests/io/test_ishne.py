"""ISHNE Holter recordings: a writer that shares nothing with the reader."""

import struct
import tracemalloc
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.io.formats.ishne import open_ishne
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.terms import FormatError, InputError


def crc(content):
    """CRC-CCITT bit by bit."""
    register = 0xFFFF
    for byte in content:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return register


def header(n_samples, *, leads=(5, 6, 11), nv=(2500, 2500, 5000), fs=200, variable=b"", count=None, **other):
    """Write the header; `other` puts numbers at bytes, such as at_128=(2,)."""
    twelve = lambda values: struct.pack("<12h", *values, *[-9] * (12 - len(values)))  # noqa: E731
    head = bytearray(
        struct.pack("<iiiih", len(variable), n_samples, 522, 522 + len(variable), 1)
        + b"Jane".ljust(40, b"\0")
        + b"Doe".ljust(40, b"\0")
        + b"4711".ljust(20, b"\0")
        + struct.pack("<14h", 2, 0, 10, 6, 1950, 9, 6, 2020, 10, 6, 2020, 23, 59, 30)
        + struct.pack("<h", len(leads) if count is None else count)
        + twelve(leads)
        + twelve([0] * len(leads))
        + twelve(nv)
        + struct.pack("<h", 1)
        + b"Recorder 3".ljust(40, b"\0")
        + struct.pack("<h", fs)
        + bytes(248)
    )
    for place, values in other.items():
        struct.pack_into(f"<{len(values)}h", head, int(place.removeprefix("at_")) - 10, *values)
    return b"ISHNE1.0" + struct.pack("<H", crc(bytes(head) + variable)) + bytes(head) + variable


def steps(n_samples=1000, n_leads=3):
    return np.random.default_rng(0).integers(-3000, 3000, (n_samples, n_leads)).astype("<i2")


def write(path, samples, n_samples=None, **more):
    path.write_bytes(header(len(samples) if n_samples is None else n_samples, **more) + samples.tobytes())
    return path


def test_every_step_comes_back(tmp_path):
    samples = steps()
    source = open_recording(write(tmp_path / "x.ecg", samples, variable=b"notes of the recorder"))
    recording = source.read()
    assert (recording.leads, recording.fs, recording.n_samples, recording.id) == (("I", "II", "V1"), 200, 1000, "x")
    assert (source.step_mv, source.notes) == ((0.0025, 0.0025, 0.005), ())
    np.testing.assert_array_equal(np.round(recording.signal.T / [0.0025, 0.0025, 0.005]), samples)


def test_the_header_says_whence_and_of_whom(tmp_path):
    path = write(tmp_path / "x.ecg", steps())
    source = open_recording(path, identify=True)
    assert (source.provenance.format, source.provenance.device) == ("ishne", "Recorder 3")
    assert source.provenance.recorded_at == source.read().start == datetime(2020, 6, 9, 23, 59, 30)
    who = source.patient
    assert (who.sex, who.age_years, who.id, who.name, who.born) == (
        "female", 69, "4711", "Doe, Jane", date(1950, 6, 10))  # fmt: skip
    hidden = repr((open_recording(path).patient, source.provenance, source.notes))
    assert not any(word in hidden for word in ("Doe", "Jane", "4711"))


def test_what_is_not_there_is_minus_nine(tmp_path):
    path = write(tmp_path / "x.ecg", steps(), at_128=(-9, -9, -9, -9, -9, -9, -9, -9))
    source = open_recording(path, identify=True)
    assert (source.patient.sex, source.patient.age_years, source.patient.born) == (None, None, None)
    assert (source.provenance.recorded_at, source.read().start) == (None, None)
    no_clock = open_recording(write(tmp_path / "y.ecg", steps(), at_150=(-9, -9, -9)))
    assert no_clock.provenance.recorded_at == datetime(2020, 6, 9)


def test_an_electrode_that_came_off_leaves_samples_missing(tmp_path):
    samples = steps()
    samples[100:150, 1] = -32768
    recording = read(write(tmp_path / "x.ecg", samples))
    assert np.flatnonzero(np.isnan(recording["II"])).tolist() == list(range(100, 150))
    assert not np.isnan(recording["I"]).any()


def test_leads_are_named_and_repetitions_told_apart(tmp_path):
    path = write(tmp_path / "x.ecg", steps(n_leads=6), leads=(0, 5, 5, 8, -9, 1), nv=(1000,) * 6)
    assert read(path).leads == ("lead 1", "I", "I 2", "aVR", "lead 5", "lead 6")


def test_spans_are_read_by_themselves(tmp_path):
    path = write(tmp_path / "x.ecg", steps())
    source, whole = open_recording(path), read(path)
    for first, stop in ((0, 1), (17, 500), (999, 1000), (0, 1000)):
        span = source.span(first, stop)
        np.testing.assert_array_equal(span.signal, whole.signal[:, first:stop])
        assert whole.start is not None
        assert span.start == whole.start + timedelta(seconds=first / 200)


def test_a_day_is_not_read_as_a_whole(tmp_path):
    n_samples = 24 * 3600 * 200
    with (tmp_path / "x.ecg").open("wb") as file:
        file.write(header(n_samples))
        file.seek(522 + 6 * (n_samples - 2000))
        file.write(steps(2000).tobytes())
    source = open_recording(tmp_path / "x.ecg")
    assert source.duration == 86400
    tracemalloc.start()
    last = source.span(n_samples - 2000, n_samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(np.round(last["V1"] / 0.005), steps(2000)[:, 2])
    assert peak < 1e6  # of 104 MB


def test_the_number_of_samples_may_be_that_of_all_leads(tmp_path):
    samples = steps()
    source = open_recording(write(tmp_path / "x.ecg", samples, n_samples=3000))
    assert source.n_samples == 1000
    assert source.notes == ("the header's 3000 samples are those of all leads together",)
    more = open_recording(write(tmp_path / "y.ecg", samples, n_samples=900))
    assert (more.n_samples, more.notes) == (900, ("600 bytes follow the samples",))


def test_a_checksum_of_0_stands_for_none(tmp_path):
    path = write(tmp_path / "x.ecg", steps())
    content = path.read_bytes()
    path.write_bytes(content[:8] + b"\0\0" + content[10:])
    assert open_recording(path).notes == ("the header has no checksum",)
    path.write_bytes(content[:8] + b"\1\0" + content[10:])
    with pytest.raises(FormatError, match=r"x.ecg must have the checksum of its header, 0x.*; got 0x0001, at byte 8"):
        read(path)


@pytest.mark.parametrize("at", [26, 60, 128, 160, 210, 272, 400, 521])
def test_a_flipped_bit_of_the_header_is_refused(at, tmp_path):
    path = write(tmp_path / "x.ecg", steps())
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    with pytest.raises(FormatError, match="must have the checksum"):
        read(path)


@pytest.mark.parametrize("length", [8, 100, 521, 522, 523, 2000, 6521])
def test_a_file_cut_short_is_refused(length, tmp_path):
    path = write(tmp_path / "x.ecg", steps())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(FormatError, match=r"must (have a header|hold)"):
        read(path)


def test_a_file_cut_short_after_it_was_opened_is_refused(tmp_path):
    path = write(tmp_path / "x.ecg", steps())
    source = open_recording(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(FormatError, match="must have 3000 samples from sample 0 on; got 1239"):
        source.read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "must have 1 to 12 leads; got 0, at byte 156"),
        ({"count": 13}, "must have 1 to 12 leads; got 13"),
        ({"fs": 0}, "must have a sampling rate of 1 Hz or more; got 0, at byte 272"),
        ({"nv": (2500, 0, 2500)}, "must have 1 nV or more per step of each lead; got 0, at byte 208"),
        ({"n_samples": 0}, "must hold the 0 samples"),
        ({"n_samples": 2**31 - 1}, "must hold the 2147483647 samples of 3 leads"),
        ({"n_samples": -5}, "must hold the -5 samples"),
        ({"at_10": (0, 0x7FFF)}, "must have its samples after its header, within the file"),
        (
            {"at_22": (0, 0)},
            "must have its samples after its header, within the file; got a variable block of 0 bytes and",
        ),
    ],
)
def test_what_can_not_be_is_refused_with_the_place(change, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(write(tmp_path / "x.ecg", steps(), **change))


def test_it_is_known_by_its_mark(tmp_path):
    write(tmp_path / "anything", steps())
    (tmp_path / "broken.ecg").write_bytes(b"ISHNE2.0")
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["anything", "broken"]


def test_mutated_files_raise_nothing_but_input_errors(tmp_path):
    rng = np.random.default_rng(1)
    good = write(tmp_path / "x.ecg", steps(100)).read_bytes()
    path, outcomes = tmp_path / "x.ecg", {"read": 0, "refused": 0}
    for trial in range(300):
        mutated = bytearray(good)
        for at in rng.integers(10, 522, rng.integers(1, 4)):
            mutated[at] = rng.choice([0, 1, 0x7F, 0xFF, rng.integers(256)])
        mutated[8:10] = b"\0\0"  # no checksum to stumble on
        path.write_bytes(mutated if trial % 4 else mutated[: rng.integers(len(mutated))])
        try:
            open_ishne(path, UNDECLARED).read()
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 30
