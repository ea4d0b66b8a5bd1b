"""What `inspect` finds, on recordings whose faults are known because they were put there."""

import json
from dataclasses import asdict, replace
from datetime import date, datetime

import numpy as np
import pytest

from twelvelead.app.inspection import as_json, as_text
from twelvelead.io.formats import Declaration, Machine, Patient, Provenance
from twelvelead.io.formats.shards_write import write_shards
from twelvelead.io.formats.source import source_of
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording, derive_limb_leads, standard_order
from twelvelead.study import Holding, Inspection, inspect_path, inspect_recording
from twelvelead.study.inspecting import COMPARED, compare
from twelvelead.terms import LEADS, FormatError, InputError

SAID = Machine({"pr_interval_ms": 150.0, "qtc_ms": 401.0}, ("Sinus rhythm", "Normal ECG"))
DEVICE = Provenance("muse", "9.0", "Acme 5", "sw 2", datetime(2020, 1, 2, 3, 4, 5), 0.05, 150.0, 60.0)
SOMEBODY = Patient("female", 63.0, id="4711", name="Doe, Jane", born=date(1956, 7, 8))


def heart(seconds=10.0, fs=500.0, rate=75.0):
    """Gaussian P, QRS and T in I, II and V1 to V6, and the limb leads that follow."""
    t = np.arange(round(seconds * fs)) / fs
    phase = (t - 0.4) % (60 / rate)
    waves = ((0.05, 0.02, 0.12), (0.21, 0.011, 1.1), (0.24, 0.01, -0.3), (0.45, 0.045, 0.25))
    beat = sum(size * np.exp(-0.5 * ((phase - at) / width) ** 2) for at, width, size in waves)
    eight = np.vstack([beat * gain for gain in (0.7, 1.0, -0.4, 0.5, 0.8, 1.2, 1.1, 0.9)])
    noise = np.random.default_rng(0).normal(0, 0.005, eight.shape)
    stored = Recording(np.round(eight + noise, 3), ("I", "II", *LEADS[6:]), fs, id="heart")
    return standard_order(derive_limb_leads(stored))


def inspect(recording, **said):
    source = source_of(recording, **said)
    return inspect_recording(source, recording)


def test_what_a_full_file_says_is_told():
    beat = Recording(np.zeros((8, 600)), LEADS[:8], 500)
    found = inspect(
        heart(), machine=SAID, provenance=DEVICE, patient=SOMEBODY.without_identity(), median=beat,
        step_mv=(0.001,) * 12, notes=("a page is missing",),
    )  # fmt: skip
    assert found.origin["device"] == "Acme 5"
    assert found.origin["recorded_at"] == "2020-01-02 03:04:05"
    assert found.signal["median_beat_s"] == 1.2
    assert found.signal["step_mv"] == [0.001]
    assert found.patient == {"sex": "female", "age_years": 63.0, "identity": "left out"}
    assert found.missing == ()
    assert found.notes == ("a page is missing",)
    assert found.statements == ("Sinus rhythm", "Normal ECG")
    assert found.refusal is None
    assert found.findings == ()
    assert found.computed == ("III", "aVR", "aVL", "aVF")
    assert found.einthoven_residual_mv == pytest.approx(0, abs=1e-6)
    assert [lead.lead for lead in found.leads] == list(LEADS)
    pr = next(row for row in found.measurements if row.name == "pr_interval_ms")
    assert pr.ours is not None
    assert pr.machine == 150
    assert pr.difference == pr.ours - 150


def test_what_is_missing_is_named():
    recording = heart()
    x = recording.signal.copy()
    x[9] = np.nan
    names = (*LEADS[:11], "X")
    found = inspect(Recording(x, names, 500, id="r"))
    assert found.missing == (
        "leads V6", "samples of V4", "time of recording", "age", "sex", "device", "filter settings",
        "step of the converter", "device's measurements",
    )  # fmt: skip


def test_leads_have_range_missing_share_and_findings():
    x = heart().signal.copy()
    x[1, :500] = np.nan
    x[6] = 0.25
    x[8] += np.random.default_rng(0).normal(0, 2, 5000)
    found = inspect(Recording(x, LEADS, 500, id="r"), step_mv=(0.001,) * 11 + (0.005,))
    by_lead = {lead.lead: lead for lead in found.leads}
    assert by_lead["II"].missing_share == pytest.approx(0.1)
    assert (by_lead["V1"].low_mv, by_lead["V1"].high_mv) == (0.25, 0.25)
    assert by_lead["V1"].findings == ("flat",)
    assert by_lead["V3"].findings == ("noise",)
    assert by_lead["V6"].step_mv == 0.005
    assert by_lead["I"].findings == ()
    assert {reason for reason, _ in found.findings} == {"flat", "noise"}


def test_leads_that_contradict_one_another_are_found():
    x = heart().signal.copy()
    x[2] *= -5
    found = inspect(Recording(x, LEADS, 500, id="r"))
    assert found.einthoven_residual_mv > 0.1
    assert "III" not in found.computed
    assert found.findings[0][0] == "einthoven"


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (Recording(np.zeros((2, 5000)), ("I", "II"), 500, id="r"), "flat"),
        (Recording(np.full((1, 5000), np.nan), ("II",), 500, id="r"), "missing_lead"),
        (Recording(heart().signal[:, :700], LEADS, 500, id="r"), "too_short"),
        (Recording(1000 * heart().signal, LEADS, 500, id="r"), "wrong_units"),
    ],
)
def test_what_can_not_be_measured_is_inspected_all_the_same(recording, reason):
    found = inspect(recording, machine=SAID)
    assert found.refusal[0] == reason
    assert [row for row in found.measurements if row.ours is not None] == []
    text = as_text(found)
    assert reason in text
    assert found.refusal[1] in text
    assert "150" in text  # the device's PR
    json.loads(as_json(found))


def test_one_lead_is_enough():
    r = heart()
    found = inspect(Recording(r.signal[1:2], ("MLII",), 500, id="r"))
    assert found.missing[0] == f"leads {', '.join(LEADS)}"
    assert found.einthoven_residual_mv is None
    assert next(row for row in found.measurements if row.name == "heart_rate_bpm").ours == pytest.approx(75, abs=1)
    assert "unknown: fewer than three limb leads" in as_text(found)


def test_identity_is_shown_only_where_it_was_asked_for():
    source = source_of(heart(), patient=SOMEBODY, provenance=DEVICE)
    shown = as_text(inspect_recording(source, source.read(), identified=True))
    for word in ("Doe, Jane", "4711", "1956-07-08"):
        assert word in shown
    stripped = replace(source, patient=SOMEBODY.without_identity())
    left_out = as_text(inspect_recording(stripped, source.read()))
    assert "identity left out" in left_out
    assert "Doe" not in left_out
    nobody = replace(source, patient=Patient())
    assert "no identity in the file" in as_text(inspect_recording(nobody, source.read(), identified=True))


def test_differences_are_ours_minus_the_devices():
    ours = {
        "heart_rate_bpm": 71.0,
        "qrs_axis_deg": -175.0,
        "p_axis_deg": 20.0,
        "qt_interval_ms": None,
        "t_axis_deg": 90.0,
    }
    machine = {"heart_rate_bpm": 70.0, "qrs_axis_deg": 170.0, "p_axis_deg": 50.0, "qt_interval_ms": 400.0,
               "t_axis_deg": -90.0, "atrial_rate_bpm": 150.0}  # fmt: skip
    rows = {row.name: row for row in compare(ours, machine)}
    assert list(rows) == [*COMPARED, "atrial_rate_bpm"]
    assert rows["heart_rate_bpm"].difference == 1
    assert rows["qrs_axis_deg"].difference == 15
    assert rows["p_axis_deg"].difference == -30
    assert rows["t_axis_deg"].difference == 180
    assert (rows["qt_interval_ms"].ours, rows["qt_interval_ms"].difference) == (None, None)
    assert (rows["atrial_rate_bpm"].unit, rows["atrial_rate_bpm"].machine) == ("1/min", 150)
    assert compare({}, {"qrs_axis_deg": float("nan")})[8].machine is None


def test_json_has_the_same_content_under_stable_keys():
    found = inspect(heart(), machine=SAID, provenance=DEVICE, patient=SOMEBODY.without_identity())
    read = json.loads(as_json(found))
    assert list(read) == [
        "recording_id", "origin", "signal", "patient", "missing", "notes", "examined_s", "leads", "findings",
        "einthoven_residual_mv", "computed", "refusal", "measurements", "statements",
    ]  # fmt: skip
    assert list(read["leads"][0]) == ["lead", "low_mv", "high_mv", "missing_share", "step_mv", "findings"]
    assert list(read["measurements"][0]) == ["name", "unit", "ours", "machine", "difference"]
    assert list(read["origin"]) == [
        "format", "version", "device", "software", "recorded_at", "high_pass_hz", "low_pass_hz", "notch_hz",
    ]  # fmt: skip
    assert read == json.loads(json.dumps(asdict(found)))


def test_text_is_aligned():
    lines = as_text(inspect(heart(), machine=SAID)).splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("lead "))
    table = lines[head : head + 13]
    assert [line.split()[0] for line in table[1:]] == list(LEADS)
    edge = table[0].index("lowest mV") + len("lowest mV")
    assert all(line[edge - 1] != " " and line[edge : edge + 2] == "  " for line in table)


def test_of_a_long_recording_the_first_minute_is_examined(tmp_path):
    r = heart(seconds=90)
    x = r.signal.copy()
    x[0, 35_000:] = 9.5
    found = inspect_path(write_wfdb(Recording(x, r.leads, r.fs, id="long"), tmp_path / "long.hea"))
    assert found.examined_s == 60
    assert found.signal["duration_s"] == 90
    assert found.leads[0].high_mv < 2
    assert "the first 60 s" in as_text(found)


def test_a_file_with_several_recordings_lists_them(tmp_path):
    named = {f"r{k}": heart(rate=60 + k) for k in range(7)}
    index = write_shards(((name, source_of(replace(r, id=name))) for name, r in named.items()), tmp_path / "many")
    held = inspect_path(index)
    assert isinstance(held, Holding)
    assert (held.n_recordings, held.first) == (7, ("r0", "r1", "r2", "r3", "r4"))
    assert "7 recordings\nsuch as r0, r1, r2, r3, r4, …\nName one of them: --entry NAME" in as_text(held)
    one = inspect_path(index, declared=Declaration(entry="r3"))
    assert isinstance(one, Inspection)
    assert one.recording_id == "r3"
    only = write_shards([("solo", source_of(replace(heart(), id="solo")))], tmp_path / "one")
    assert inspect_path(only).recording_id == "solo"


def test_a_folder_is_counted_by_format_with_its_failures(tmp_path):
    write_wfdb(replace(heart(), id="a"), tmp_path / "a.hea")
    write_wfdb(replace(heart(), id="b"), tmp_path / "deep" / "b.hea")
    np.save(tmp_path / "c.npy", heart().signal.T)
    (tmp_path / "bad.hea").write_text("bad 1 500 5000\nbad.dat 16 1000/mV\n")
    (tmp_path / "bad.dat").write_bytes(b"\0" * 100)
    told = []
    held = inspect_path(tmp_path, progress=lambda *said: told.append(said))
    assert dict(held.formats) == {"wfdb": 3}  # of WFDB the header is read, which is whole
    assert [(recording_id, message[:33]) for recording_id, message in held.failures] == [
        ("c", "a signal table must declare fs; g")
    ]
    assert told[-1] == ("open", 4, 4)
    declared = Declaration(fs=500, leads=LEADS, units="mV")
    assert dict(inspect_path(tmp_path, declared=declared).formats) == {"npy": 1, "wfdb": 3}
    text = as_text(held)
    assert "wfdb             3" in text
    assert "can't be read: 1\n  c: a signal table must declare fs" in text


def test_what_is_no_recording_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be there"):
        inspect_path(tmp_path / "nowhere.hea")
    (tmp_path / "x.txt").write_text("Hello")
    with pytest.raises(FormatError, match="known format"):
        inspect_path(tmp_path / "x.txt")
