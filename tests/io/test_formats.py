"""Laws over every waveform format that is registered, on real files."""

import ast
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import twelvelead.io.formats as room
from twelvelead.io import FORMATS, find_recordings, open_recording
from twelvelead.measure import CATALOGUE
from twelvelead.signal import einthoven_residual_mv
from twelvelead.study.shard import list_machine
from twelvelead.terms import LEADS, MACHINE, InputError

FILES = Path(__file__).parents[2].parent / "shared" / "data" / "formats"
# Each real file: format, leads, Hz, samples; counted with wfdb, pydicom, sierraecg and a text editor.
REAL = {
    "aecg/example": ("aecg", 12, 500, 5000),
    "dicom/example": ("dicom", 12, 500, 5000),
    "dicom/waveform_ecg": ("dicom", 12, 1000, 10000),
    "muse/example": ("muse", 12, 500, 5000),
    "muse/example1": ("muse", 12, 500, 5000),
    "philips/repbeats_example": ("sierra", 12, 500, 5500),
    "philips/sierra_1_03": ("sierra", 12, 500, 5500),
    "philips/sierra_1_04": ("sierra", 12, 500, 5500),
    "scp/example": ("scp", 12, 500, 5000),
    "wfdb/100_3chan": ("wfdb", 3, 360, 999),
    "wfdb/310derive": ("wfdb", 2, 250, 1026),
    "wfdb/311derive": ("wfdb", 1, 250, 1026),
    "wfdb/a103l": ("wfdb", 2, 250, 82500),
    "wfdb/binformats": ("wfdb", 10, 200, 499),
    "wfdb/flacformats": ("wfdb", 3, 200, 499),
    "wfdb/s0010_re": ("wfdb", 12, 1000, 38400),
    "wfdb/v102s": ("wfdb", 2, 250, 75000),
}
REFUSED = {
    "philips/invalid-doc-type": "MortaraECG",
    "philips/invalid-doc-version": "1.05",
    "wfdb/100skew": "100.dat",
    "wfdb/test_edfann": "EDF Annotations",
}
NOISE = ("noise/BW", "noise/EM", "noise/MA")
NO_ECG = {"wfdb/binformats", "wfdb/flacformats"}  # made-up numbers up to the ends of their ranges
KNOWN = {m.name for m in CATALOGUE} | {column.name for column in MACHINE.columns}


@pytest.fixture(scope="module")
def found():
    if not FILES.is_dir():
        pytest.skip("../shared/data/formats is absent: no real files to read")
    return {f.recording_id: f for f in find_recordings([FILES])}


def opened(found, name, **how):
    return open_recording(found[name].file, recording_id=name, **how)


def test_every_real_file_is_found(found):
    assert set(found) == {*REAL, *REFUSED, *NOISE}


@pytest.mark.parametrize("name", REAL)
def test_every_real_file_is_read(name, found):
    source = opened(found, name)
    recording = source.read()
    known = (source.provenance.format, len(recording.leads), recording.fs, recording.n_samples)
    assert known == REAL[name]
    assert (source.fs, source.n_samples) == (recording.fs, recording.n_samples)
    assert recording.start == source.provenance.recorded_at


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_the_reason(name, found):
    with pytest.raises(InputError, match=REFUSED[name]):
        opened(found, name).read()


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_read_where_it_is_declared(name, found):
    recording = opened(found, name, fs=360, leads=("number", "noise 1", "noise 2"), units="uV").read()
    assert recording.duration == 30
    with pytest.raises(InputError, match="must declare"):
        opened(found, name)


@pytest.mark.parametrize("name", [n for n in REAL if REAL[n][1] == 12])
def test_a_twelve_lead_file_has_the_twelve_leads_and_they_agree(name, found):
    recording = opened(found, name).read()
    assert set(recording.leads) == set(LEADS)
    # Einthoven and Goldberger hold to the rounding of the recorded leads: a step of 5 uV at most, and its halves.
    assert einthoven_residual_mv(recording) < 0.005


@pytest.mark.parametrize("name", [n for n in REAL if n not in NO_ECG])
def test_amplitudes_are_those_of_a_heart_in_millivolts(name, found):
    signal = opened(found, name).read().signal
    highest = np.nanpercentile(np.abs(signal - np.nanmedian(signal, axis=1, keepdims=True)), 99.5)
    assert 0.1 < highest < 5
    assert 0 < np.isnan(signal).mean() < 0.05 or not np.isnan(signal).any()


@pytest.mark.parametrize("name", REAL)
def test_a_span_is_the_same_as_that_part_of_the_whole(name, found):
    source = opened(found, name)
    whole, part = source.read(), source.span(100, 300)
    np.testing.assert_array_equal(part.signal, whole.signal[:, 100:300])
    assert part.leads == whole.leads


@pytest.mark.parametrize("name", [n for n in REAL if n not in NO_ECG])
def test_samples_are_whole_steps_of_the_converter(name, found):
    source = opened(found, name)
    recording = source.read()
    assert len(source.step_mv) == len(recording.leads)
    steps = recording.signal / np.array(source.step_mv)[:, None]
    steps -= np.nanmin(steps, axis=1, keepdims=True)
    off = np.abs(steps - np.rint(steps))
    # Leads that follow from two others may lie on halves of a step; float32 keeps 7 digits of large values.
    halves = np.abs(2 * steps - np.rint(2 * steps))
    assert np.nanmax(np.where(np.isin(recording.leads, ("aVR", "aVL", "aVF"))[:, None], halves, off)) < 0.02


@pytest.mark.parametrize("name", REAL)
def test_what_the_machine_measured_has_names_and_plausible_values(name, found):
    source = opened(found, name)
    measured = source.machine.measurements
    assert set(measured) <= KNOWN
    limits = {"_ms": (20, 3000), "_bpm": (20, 300), "_deg": (-360, 360)}
    for key, value in measured.items():
        low, high = limits[key[key.rindex("_") :]]
        assert low <= value <= high, key
    assert MACHINE.select([list_machine(name, source)]).height == 1


@pytest.mark.parametrize("name", REAL)
def test_who_it_is_is_told_to_nobody_who_does_not_ask(name, found):
    silent, told = opened(found, name), opened(found, name, identify=True)
    assert (silent.patient.id, silent.patient.name, silent.patient.born) == ("", "", None)
    assert silent.patient == told.patient.without_identity()
    said = repr(replace(silent, span=None, median=None)).lower()
    for word in (told.patient.id, *told.patient.name.replace(",", " ").replace("^", " ").split()):
        if word != "MUSE":  # the last name of a test patient, and the name of the format
            assert len(word) < 3 or word.lower() not in said


def test_files_are_known_by_their_content(found, tmp_path):
    for name in (n for n in REAL if not n.startswith("wfdb")):
        copy = tmp_path / f"{name.replace('/', '-')}.bin"
        copy.write_bytes(Path(found[name].file).read_bytes())
        assert open_recording(copy).provenance.format == REAL[name][0]


def test_every_reader_is_registered():
    """A module of the room that can open a file must be in `FORMATS`."""
    folder = Path(room.__file__).parent
    defined = {
        node.name
        for path in folder.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("recognise_")
    }
    assert defined == {known.recognise.__name__ for known in FORMATS}


def test_nothing_that_a_file_says_gets_lost_on_the_way(found):
    """`open_recording` rebuilds what a reader gives, field by field: it must not forget one."""
    name = "philips/sierra_1_04"
    known = next(f for f in FORMATS if f.name == "sierra")
    plain, opened_one = known.open(Path(found[name].file), room.Declaration()), opened(found, name, identify=True)
    for field in fields(plain):
        if field.name not in {"span", "median", "provenance"}:
            assert getattr(opened_one, field.name) == getattr(plain, field.name), field.name
    assert opened_one.provenance == replace(plain.provenance, format="sierra")
    np.testing.assert_array_equal(opened_one.median.signal, plain.median.signal)
