"""Shards, read back by hand with NumPy and Polars, and with what is wrong in them refused."""

import hashlib
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.shards import INDEX
from twelvelead.io.formats.shards_write import write_index, write_shards
from twelvelead.io.formats.source import source_of
from twelvelead.io.formats.steps import to_steps
from twelvelead.signal import Recording
from twelvelead.terms import ContractError, FormatError, InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
STEP = 0.00488
AT = datetime(2020, 2, 3, 4, 5, 6)
LAST_DIGIT = 2**-22  # float32 times float32, of steps that were made in float64
STEPS = np.random.default_rng(0).integers(-3000, 3000, (2, 400))


def ecg(name="a", steps=STEPS, step=STEP):
    return Recording(np.asarray(steps) * step, ("I", "V1"), 500, name, AT)


def source(name="a", steps=STEPS):
    return source_of(
        ecg(name, steps),
        machine=Machine({"qt_interval_ms": 401.0}, ("Sinus rhythm", "Normal ECG")),
        provenance=Provenance("muse", "1", "GE MAC 5500", "9", AT, 0.05, 150.0, 50.0),
        patient=Patient("female", 61.0, id="p1"),
        step_mv=(STEP, STEP),
        notes=("odd",),
    )


def shards(folder, **rows):
    """Two recordings, `rows` changed in the index of the second."""
    index = write_shards([("ward/a", source()), ("b", source("b", STEPS[:, ::-1]))], folder)
    if rows:
        first, second = pl.read_parquet(index).to_dicts()
        write_index(pl.DataFrame([first, {**second, **rows}], schema=INDEX.schema).lazy(), folder)
        os.utime(index, ns=(0, hash(str(rows)) % 2**40))  # another version, whatever the clock's resolution
    return index


def test_numpy_and_polars_alone_read_shards(tmp_path):
    rows = pl.read_parquet(shards(tmp_path)).to_dicts()
    assert [row["recording_id"] for row in rows] == ["ward/a", "b"]
    for row, steps in zip(rows, (STEPS, STEPS[:, ::-1]), strict=True):
        signals = np.memmap(tmp_path / row["file"], dtype="<i2", mode="r")
        part = signals[row["first"] : row["first"] + row["n_samples"] * len(row["leads"])]
        assert part.reshape(-1, 2).T.tolist() == steps.tolist()
        assert row["sha256"] == hashlib.sha256(part.tobytes()).hexdigest()
        assert (row["step_mv"], row["zero"], row["exact"]) == ([STEP, STEP], [0, 0], True)
    assert rows[0]["measurements"] == [{"name": "qt_interval_ms", "value": 401.0}]
    assert (rows[0]["patient_id"], rows[0]["format"], rows[0]["device"]) == ("p1", "muse", "GE MAC 5500")
    assert (tmp_path / "signals-00000.int16").stat().st_size == 2 * 2 * 2 * 400


def test_what_is_read_is_what_was_written(tmp_path):
    given, got = source(), open_recording(shards(tmp_path), entry="ward/a", identify=True)
    np.testing.assert_allclose(got.read().signal, given.read().signal, rtol=LAST_DIGIT, atol=0)
    assert (got.read().leads, got.read().fs, got.read().start, got.read().id) == (("I", "V1"), 500, AT, "ward/a")
    assert (got.patient, got.machine, got.notes, got.step_mv) == (given.patient, given.machine, ("odd",), (STEP, STEP))
    assert got.provenance == replace(given.provenance, format="shards", version="")
    assert open_recording(tmp_path / "index.parquet", entry="b").patient == Patient("female", 61.0)


def test_a_span_is_read_by_itself(tmp_path):
    got = open_recording(shards(tmp_path), entry="b")
    part = got.span(100, 103)
    np.testing.assert_array_equal(part.signal, got.read().signal[:, 100:103])
    assert part.start == AT + timedelta(seconds=0.2)


def test_shards_are_found_as_their_recordings(tmp_path):
    shards(tmp_path / "deep")
    found = find_recordings([tmp_path])
    assert [(f.recording_id, f.entry) for f in found] == [("deep/ward/a", "ward/a"), ("deep/b", "b")]
    assert read(found[1].file, entry="b")["I"][0] == np.float32(STEPS[0, -1] * np.float32(STEP))


def test_an_id_must_name_one_recording(tmp_path):
    with pytest.raises(ContractError, match="recording_id must name one row"):
        write_shards([("a", source()), ("a", source())], tmp_path)
    with pytest.raises(InputError, match="an entry must name one of the 2 recordings; got 'c'"):
        read(shards(tmp_path), entry="c")
    with pytest.raises(InputError, match="got 2, such as ward/a, b"):
        read(tmp_path / "index.parquet")


# --- steps ------------------------------------------------------------------------------------------------------------


def written(signal, step=()):
    return to_steps(Recording(np.atleast_2d(signal), ("I",), 500), step, bits=16)


def amplitudes(steps):
    samples = np.where(steps.samples == -32768, np.nan, steps.samples)
    return ((samples + steps.zero) * steps.step_mv).T


def test_missing_samples_are_the_least_integer(tmp_path):
    given = Recording(np.array([[0.001, np.nan, -32.767]]), ("I",), 500, "x")
    index = write_shards([("x", source_of(given))], tmp_path)
    assert np.fromfile(tmp_path / "signals-00000.int16", "<i2").tolist() == [1, -32768, -32767]
    np.testing.assert_allclose(read(index).signal, given.signal, rtol=LAST_DIGIT, atol=0)


def test_a_known_step_is_kept_and_an_unknown_one_is_a_microvolt():
    signal = np.array([-7, 0, 12]) * STEP
    assert (written(signal, (STEP,)).samples[:, 0].tolist(), written(signal, (STEP,)).exact) == ([-7, 0, 12], True)
    unknown = written(signal)
    assert (unknown.step_mv, unknown.exact) == ((1e-3,), False)
    assert np.abs(amplitudes(unknown) - signal).max() <= 0.0005
    assert written([0.001, 0.002]).exact


def test_a_lead_between_steps_is_written_in_halves():
    # aVR = -(I + II)/2 of leads in whole steps lies on halves of them.
    steps = written(np.array([-3.5, 2.0, 0.5]) * STEP, (STEP,))
    assert (steps.samples[:, 0].tolist(), steps.step_mv, steps.exact) == ([-7, 4, 1], (STEP / 2,), True)


def test_a_lead_far_from_zero_is_moved():
    signal = (np.array([0, 1, 30000]) + 100_000) * STEP
    steps = written(signal, (STEP,))
    assert steps.exact
    assert steps.zero == (115_000,)
    np.testing.assert_allclose(amplitudes(steps)[0], signal, rtol=1e-7)


@pytest.mark.parametrize("step", [(), (STEP,), (0.0,), (float("nan"),)])
@pytest.mark.parametrize("signal", [[-200.0, 0.3, 200.0], [1e6, 1e6 + 1, np.nan], [-1e8, 1e8, 0.0], [0.0, 33.0, 32.0]])
def test_no_sample_is_off_by_more_than_half_a_step(signal, step):
    steps = written(signal, step)
    assert np.nanmax(np.abs(amplitudes(steps) - np.float32(signal))) <= steps.step_mv[0] / 2 * (1 + 1e-6)
    most = np.nanmax(signal) - np.nanmin(signal)
    assert steps.step_mv[0] <= max(STEP, most / 65534 + 0.002, np.nanmax(np.abs(signal)) / 2**23 + 0.002)


def test_what_no_amplifier_gives_is_refused():
    with pytest.raises(InputError, match=r"amplitudes must be below 1e\+09 mV; got 1e\+20 in lead I"):
        written([0.0, 1e20])
    with pytest.raises(InputError, match="a step must be known for every lead or for none; got 2 for 1 leads"):
        written([0.0], (1.0, 1.0))


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("file", "../signals-00000.int16", "a signal file must be called as in signals-00000.int16"),
        ("file", "signals-00001.int16", "must have 3200 bytes or more; got 0"),
        ("first", -1, "samples must begin at 0 or later; got 400 from -1"),
        ("first", 2**62, r"bytes or more; got 3200 for recording 'b'"),
        ("n_samples", 2**40, "bytes or more; got 3200"),
        ("n_samples", 399, "must have the SHA-256 of the index"),
        ("fs", 0.0, "fs must be a positive number of Hz; got 0.0"),
        ("fs", float("nan"), "fs must be a positive number"),
        ("leads", ["I", "I"], "leads must be named and differ"),
        ("leads", [], "leads must be named and differ"),
        ("leads", ["I", None], "leads must be named and differ"),
        ("step_mv", [0.005], "each of 2 leads must have its step and zero; got 1 and 2"),
        ("step_mv", [0.005, -1.0], "steps must be positive amplitudes"),
        ("step_mv", [1e300, 1.0], "steps must be positive amplitudes"),
        ("zero", [0, None], "steps must be positive amplitudes"),
        ("sha256", "", "must have the SHA-256 of the index"),
        ("recorded_at", datetime(9999, 12, 31), "recordings must be made between 2 and 9998; got 9999"),
    ],
)
def test_an_index_that_can_not_be_is_refused(column, value, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(shards(tmp_path, **{column: value}), entry="b")


def test_a_changed_sample_shows_when_the_recording_is_read_whole(tmp_path):
    index = shards(tmp_path)
    signals = tmp_path / "signals-00000.int16"
    content = bytearray(signals.read_bytes())
    content[1700] ^= 1
    signals.write_bytes(content)
    assert read(index, entry="ward/a").n_samples == 400
    with pytest.raises(FormatError, match=r"for recording 'b' in signals-00000\.int16 from byte 1600"):
        read(index, entry="b")


def test_a_signal_file_cut_short_is_refused(tmp_path):
    index = shards(tmp_path)
    (tmp_path / "signals-00000.int16").write_bytes(bytes(3199))
    for part in (lambda s: s.read(), lambda s: s.span(0, 1)):
        with pytest.raises(FormatError, match="must have 3200 bytes or more; got 3199"):
            part(open_recording(index, entry="b"))


def test_a_signal_file_elsewhere_is_refused(tmp_path):
    index = shards(tmp_path / "in")
    (tmp_path / "in" / "signals-00000.int16").rename(tmp_path / "out.int16")
    (tmp_path / "in" / "signals-00000.int16").symlink_to(tmp_path / "out.int16")
    with pytest.raises(FormatError, match=r"a link out of the folder for signals-00000\.int16"):
        read(index, entry="b")


def test_an_index_without_its_sum_is_no_shards(tmp_path):
    index = shards(tmp_path)
    (tmp_path / "index.sha256").unlink()
    with pytest.raises(FormatError, match="known format"):
        read(index, entry="b")


def test_another_table_with_its_sum_is_refused(tmp_path):
    write_index(pl.DataFrame({"recording_id": ["b"]}).lazy(), tmp_path)
    with pytest.raises(FormatError, match="must be a whole index of shards"):
        read(tmp_path / "index.parquet", entry="b")


def test_mutated_indexes_raise_nothing_but_format_errors(tmp_path):
    rng = np.random.default_rng(1)
    index = shards(tmp_path)
    good = index.read_bytes()
    for trial in range(300):
        mutated = bytearray(good)
        for at in rng.integers(0, len(good), rng.integers(1, 6)):
            mutated[at] ^= 1 << rng.integers(8)
        cut = len(good) if trial % 3 else rng.integers(4, len(good))
        if mutated[:cut] == good:
            continue
        index.write_bytes(mutated[:cut])
        os.utime(index, ns=(0, trial * 1_000_000))
        with pytest.raises(FormatError):
            read(index, entry="b")


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to write")
@pytest.mark.parametrize("database", ["ptbxl", "ludb", "challenge2021"])
def test_real_recordings_come_back_bit_by_bit(database, tmp_path):
    found = find_recordings([DATA / database])[:20]
    index = write_shards([(f.recording_id, open_recording(f.file)) for f in found], tmp_path)
    assert pl.read_parquet(index)["exact"].all()
    for f in found:
        np.testing.assert_array_equal(read(index, entry=f.recording_id).signal, read(f.file).signal)
