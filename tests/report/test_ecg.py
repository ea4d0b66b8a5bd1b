"""The drawing is read back as XML and measured with a ruler: 1 user unit = 1 mm."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.report import draw_ecg
from twelvelead.report.ecg import LAYOUTS, simplify
from twelvelead.signal.recording import Recording
from twelvelead.terms import LEADS, InputError

SVG = "{http://www.w3.org/2000/svg}"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 (our own drawing)


def points(path):
    return np.array([[float(v) for v in xy.split()] for xy in re.findall(r"[ML]([-\d.]+ [-\d.]+)", path.get("d"))])


def traces(svg, lead):
    return [p for p in parse(svg).iter(f"{SVG}path") if p.get("class") == "trace" and p.get("data-lead") == lead]


def pulse_recording(amplitude_mv=1.0, width_s=0.2, fs=500.0):
    """Flat but for one rectangular deflection at 1 s, in every lead."""
    y = np.zeros((12, int(10 * fs)))
    y[:, int(fs) : int((1 + width_s) * fs)] = amplitude_mv
    return Recording(y, LEADS, fs, id="r1")


def test_one_millivolt_is_ten_millimetres_and_one_second_twenty_five():
    drawn = points(traces(draw_ecg(pulse_recording(), layout="12x1"), "V5")[0])
    assert np.ptp(drawn[:, 1]) == pytest.approx(10, abs=0.011)  # two decimals of a mm
    assert np.ptp(drawn[:, 0]) == pytest.approx(25 * 9.998, abs=0.011)  # 10 s less one sample
    rising = drawn[np.argmin(drawn[:, 1]), 0] - drawn[0, 0]
    assert rising == pytest.approx(25, abs=0.011)


def test_calibration_pulse_is_ten_by_five_millimetres():
    pulses = [p for p in parse(draw_ecg(pulse_recording())).iter(f"{SVG}path") if p.get("class") == "calibration"]
    assert len(pulses) == 4
    for pulse in pulses:
        drawn = points(pulse)
        assert np.ptp(drawn[:, 1]) == 10
        top = drawn[drawn[:, 1] == drawn[:, 1].min()]
        assert np.ptp(top[:, 0]) == 5


def test_size_is_in_millimetres_and_one_user_unit_is_one():
    root = parse(draw_ecg(pulse_recording()))
    width, height = (root.get(name) for name in ("width", "height"))
    assert width == "270mm"
    assert root.get("viewBox") == f"0 0 {width.removesuffix('mm')} {height.removesuffix('mm')}"


def test_grid_lines_lie_on_every_millimetre_thick_ones_on_every_fifth():
    lines = {p.get("class"): p.get("d") for p in parse(draw_ecg(pulse_recording())).iter(f"{SVG}path")}
    thick = sorted({int(x) for x in re.findall(r"M(\d+) 15V", lines["mm5"])})
    thin = sorted({int(x) for x in re.findall(r"M(\d+) 15V", lines["mm1"])})
    assert thick == list(range(0, 271, 5))
    assert thin == [x for x in range(271) if x % 5]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_lead_is_drawn_and_the_missing_one_says_so(layout, recording):
    svg = draw_ecg(recording, layout=layout)
    for lead in recording.leads:
        rows = sum(lead in row for row in LAYOUTS[layout])
        assert len(traces(svg, lead)) == rows, lead
    assert not traces(svg, "V3")
    assert svg.count("no signal</text>") == 1
    assert "No signal in V3" in svg
    assert all(f">{lead}</text>" in svg for lead in LEADS)
    assert len(svg.encode()) < 250_000


def test_columns_follow_one_another_in_time():
    y = np.tile(np.arange(5000) / 5000, (12, 1))  # a ramp: the value tells the time
    svg = draw_ecg(Recording(y, LEADS, 500), layout="3x4+1")
    first, third = points(traces(svg, "I")[0]), points(traces(svg, "V1")[0])
    assert first[0, 0] == pytest.approx(15, abs=0.01)
    assert third[0, 0] == pytest.approx(15 + 125, abs=0.01)
    # From 0 s to 5 s the ramp rises by 0.5 mV = 5 mm; both leads stand on one line.
    assert first[0, 1] - third[0, 1] == pytest.approx(5, abs=0.02)


def test_a_gap_stays_a_gap():
    y = np.zeros((1, 5000))
    y[0, 1000:1500] = np.nan
    assert traces(draw_ecg(Recording(y, ("II",), 500), layout="12x1"), "II")[0].get("d").count("M") == 2


def test_a_lead_of_nothing_but_gaps_has_no_signal():
    svg = draw_ecg(Recording(np.full((1, 5000), np.nan), ("II",), 500), layout="12x1")
    assert not traces(svg, "II")
    assert svg.count("no signal</text>") == 12


def test_one_lonely_sample_is_a_dot():
    y = np.full((1, 5000), np.nan)
    y[0, 100] = 0.3
    assert traces(draw_ecg(Recording(y, ("II",), 500), layout="12x1"), "II")[0].get("d").endswith("h0")


def test_high_waves_push_the_rows_apart():
    def height(mv):
        return float(parse(draw_ecg(pulse_recording(amplitude_mv=mv))).get("height").removesuffix("mm"))

    assert height(0.5) < height(2.5) <= height(25)  # beyond 3.5 mV rows may touch rather than grow for ever


def test_a_noisy_recording_stays_small():
    noise = np.random.default_rng(0).normal(0, 0.05, (12, 5000))
    svg = draw_ecg(Recording(noise, LEADS, 500), layout="12x1")
    assert len(svg.encode()) < 250_000
    drawn = points(traces(svg, "V5")[0])
    assert np.ptp(drawn[:, 1]) == pytest.approx(10 * np.ptp(noise[LEADS.index("V5")]), abs=0.011)  # no peak is lost


def test_marks_lie_at_their_time(recording, fiducials):
    root = parse(draw_ecg(recording, fiducials=fiducials))
    at = {w: sorted(float(m.get("x1")) for m in root.iter(f"{SVG}line") if m.get("class") == f"mark-{w}") for w in "pt"}
    assert at["p"] == pytest.approx([15 + 25.0, 15 + 27.5])  # beat 1 has no P wave; lead II's marks are not drawn
    assert at["t"] == pytest.approx([15 + 35.0, 15 + 35.0, 15 + 40.0, 15 + 40.0])


def test_marks_outside_the_sheet_are_left_out(recording, fiducials):
    assert "mark-" not in draw_ecg(recording, fiducials=fiducials, start_s=5)


def test_measurements_speed_gain_and_filter_are_printed(recording):
    values = {"heart_rate_bpm": 71.6, "pr_interval_ms": None, "qrs_axis_deg": -30.2, "qtc_fridericia_ms": float("nan")}
    svg = draw_ecg(recording, measurements=values, filter_text="0.5–40 Hz")
    assert "Rate 72/min · QRS axis −30°" in svg
    assert "QTc" not in svg
    assert "25 mm/s · 10 mm/mV · 0.5–40 Hz" in svg


def test_a_hostile_name_is_only_text():
    svg = draw_ecg(Recording(np.zeros((1, 5000)), ("II",), 500, id="<script>\x00&"))
    assert "<script" not in svg
    assert "&lt;script&gt;&amp;" in svg
    parse(svg)


def test_title_and_description_are_there_for_screen_readers(recording):
    root = parse(draw_ecg(recording))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "12-lead ECG rec-1"
    assert "25 mm per second" in root.find(f"{SVG}desc").text


def test_same_recording_same_bytes(recording, fiducials):
    assert draw_ecg(recording, fiducials=fiducials) == draw_ecg(recording, fiducials=fiducials)


def test_unknown_layout_and_late_start_are_refused(recording):
    with pytest.raises(InputError, match=r"layout must be one of 3x4\+1, 6x2, 12x1; got '4x3' in recording 'rec-1'"):
        draw_ecg(recording, layout="4x3")
    with pytest.raises(InputError, match="start_s must lie within the recording; got 10 s of 10 s"):
        draw_ecg(recording, start_s=10)


@given(
    st.lists(st.floats(-5, 5, allow_nan=False), min_size=2, max_size=60),
    st.sampled_from([0.01, 0.1, 1.0]),
)
def test_a_simplified_line_passes_within_tolerance_of_every_sample(y, tolerance):
    trace = np.vstack([0.05 * np.arange(len(y)), y])
    kept = simplify(trace, tolerance)
    assert kept[0] == 0
    assert kept[-1] == len(y) - 1
    assert kept == sorted(set(kept))
    drawn = np.interp(trace[0], trace[0, kept], trace[1, kept])
    assert np.abs(drawn - trace[1]).max() <= tolerance + 1e-9


def test_a_real_recording_is_drawn_small():
    header = SHARED / "ptbxl" / "records500" / "00000" / "00001_hr.hea"
    if not header.is_file():
        pytest.skip("../shared/data/ptbxl is absent")
    from twelvelead.io import read

    for layout in LAYOUTS:
        svg = draw_ecg(read(header), layout=layout)
        assert "no signal" not in svg
        assert len(svg.encode()) < 250_000, layout
