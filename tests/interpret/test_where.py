"""A number without a place on the signal is no evidence: laws over real recordings."""

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from twelvelead.interpret.case import Case, examine
from twelvelead.interpret.derived import DERIVED
from twelvelead.interpret.where import locate, show_beat
from twelvelead.io import read
from twelvelead.measure import CATALOGUE, Mark

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to measure")
FILES = [
    *(f"ptbxl/records500/00000/{k:05d}_hr.hea" for k in (1, 24, 49, 170, 219, 256, 271, 338, 349)),
    "ecg-id/Person_01/rec_1.hea",
]


@lru_cache
def case_of(file: str) -> Case:
    path = DATA / file
    if not path.is_file():
        pytest.skip(f"{file} is absent")
    return examine(read(path))


@needs_data
@pytest.mark.parametrize("file", FILES)
def test_every_number_has_a_unit_and_a_place_inside_the_recording(file):
    case = case_of(file)
    known = {m.name: m for m in (*CATALOGUE, *DERIVED)}
    assert set(known) <= set(case.values)
    for name, measurement in known.items():
        evidence = case.evidence(name)
        assert (evidence is None) == (not math.isfinite(case.values[name])), name
        if evidence is None:
            continue
        assert evidence.unit == measurement.unit
        assert evidence.spans, name
        for span in evidence.spans:
            assert 0 <= span.start_s <= span.end_s <= case.recording.duration, name
            assert span.end_s > span.start_s or len(evidence.spans) > 1, name
            assert span.lead == measurement.lead or measurement.lead is None, name


@needs_data
@pytest.mark.parametrize("file", FILES)
def test_waves_lie_in_the_beat_that_is_shown(file):
    heartbeat = case_of(file).heartbeat
    beat = show_beat(heartbeat)
    assert heartbeat.shape_class[beat] == 0
    (qrs,) = locate("qrs_duration_ms", None, heartbeat)
    assert (qrs.wave, qrs.beat) == ("QRS", beat)
    assert qrs.start_s < heartbeat.times_s[beat] < qrs.end_s
    (rate,) = locate("heart_rate_bpm", None, heartbeat)
    assert (rate.wave, rate.start_s, rate.end_s) == ("RR", heartbeat.times_s[0], heartbeat.times_s[-1])


@needs_data
def test_a_leads_wave_is_shown_where_that_lead_has_it():
    heartbeat = case_of(FILES[0]).heartbeat
    (span,) = locate("t_amplitude_v3_mv", "V3", heartbeat)
    k = heartbeat.leads.index("V3")
    marks = heartbeat.beat_marks_s[show_beat(heartbeat), :, k]
    np.testing.assert_allclose([span.start_s, span.end_s], marks[[Mark.T_ONSET, Mark.T_OFFSET]])


@needs_data
@pytest.mark.parametrize(
    ("name", "leads"),
    [("cornell_product_mvms", ["aVL", "V3"]), ("sokolow_lyon_mv", ["V1", "V5", "V6"]), ("qrs_axis_deg", [None])],
)
def test_a_voltage_added_up_over_leads_is_shown_in_these(name, leads):
    evidence = case_of(FILES[0]).evidence(name)
    assert [span.lead for span in evidence.spans] == leads
    assert {span.wave for span in evidence.spans} == {"QRS"}
