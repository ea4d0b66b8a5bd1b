"""The drawing is read back as XML and measured with a ruler: 1 user unit = 1 mm."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.report import Caption, Paper, draw_ecg
from twelvelead.report.ecg_sheet import LAYOUTS, arrange, choose_layout
from twelvelead.report.ecg_trace import simplify
from twelvelead.signal import assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import FIDUCIALS, LEADS, InputError

SVG = "{http://www.w3.org/2000/svg}"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 (our own drawing)


def points(path):
    return np.array([[float(v) for v in xy.split()] for xy in re.findall(r"[ML]([-\d.]+ [-\d.]+)", path.get("d"))])


def texts(svg):
    return [(float(t.get("x")), float(t.get("y")), t.text) for t in parse(svg).iter(f"{SVG}text")]


def traces(svg, lead):
    return [p for p in parse(svg).iter(f"{SVG}path") if p.get("class") == "trace" and p.get("data-lead") == lead]


def pulse_recording(amplitude_mv=1.0, width_s=0.2, fs=500.0):
    """Flat but for one rectangular deflection at 1 s, in every lead."""
    y = np.zeros((12, int(10 * fs)))
    y[:, int(fs) : int((1 + width_s) * fs)] = amplitude_mv
    return Recording(y, LEADS, fs, id="r1")


def test_one_millivolt_is_ten_millimetres_and_one_second_twenty_five():
    drawn = points(traces(draw_ecg(pulse_recording(), paper=Paper("12x1")), "V5")[0])
    assert np.ptp(drawn[:, 1]) == pytest.approx(10, abs=0.011)  # two decimals of a mm
    assert np.ptp(drawn[:, 0]) == pytest.approx(25 * 9.998, abs=0.011)  # 10 s less one sample
    rising = drawn[np.argmin(drawn[:, 1]), 0] - drawn[0, 0]
    assert rising == pytest.approx(25, abs=0.011)


@pytest.mark.parametrize("speed", [25, 50])
@pytest.mark.parametrize("gain", [5, 10, 20])
def test_speed_and_gain_scale_trace_and_calibration_pulse_alike(speed, gain):
    svg = draw_ecg(pulse_recording(), paper=Paper("12x1", speed=speed, gain=gain))
    drawn = points(traces(svg, "V5")[0])
    assert np.ptp(drawn[:, 1]) == pytest.approx(gain, abs=0.011)
    assert np.ptp(drawn[:, 0]) == pytest.approx(speed * 9.998, abs=0.011)
    pulses = [points(p) for p in parse(svg).iter(f"{SVG}path") if p.get("class") == "calibration"]
    assert len(pulses) == 12
    for pulse in pulses:  # 1 mV, 0.2 s
        assert np.ptp(pulse[:, 1]) == gain
        top = pulse[pulse[:, 1] == pulse[:, 1].min()]
        assert np.ptp(top[:, 0]) == 0.2 * speed
        assert pulse[:, 0].max() < drawn[0, 0]
    tops = sorted(pulse[:, 1].min() for pulse in pulses)
    feet = sorted(pulse[:, 1].max() for pulse in pulses)
    assert all(foot < top for foot, top in zip(feet, tops[1:], strict=False))
    assert f"{speed} mm/s · {gain} mm/mV" in svg


def test_ten_seconds_at_fifty_millimetres_are_half_a_metre():
    assert parse(draw_ecg(pulse_recording(), paper=Paper(speed=50))).get("width") == "525mm"


def test_size_is_in_millimetres_and_one_user_unit_is_one():
    root = parse(draw_ecg(pulse_recording()))
    width, height = (root.get(name) for name in ("width", "height"))
    assert width == "270mm"
    assert root.get("viewBox") == f"0 0 {width.removesuffix('mm')} {height.removesuffix('mm')}"


def test_grid_lines_lie_on_every_millimetre_thick_ones_on_every_fifth():
    lines = {p.get("class"): p.get("d") for p in parse(draw_ecg(pulse_recording())).iter(f"{SVG}path")}
    thick = sorted({int(x) for x in re.findall(r"M(\d+) \d+V", lines["mm5"])})
    thin = sorted({int(x) for x in re.findall(r"M(\d+) \d+V", lines["mm1"])})
    ys = sorted({int(y) for y in re.findall(r"M0 (\d+)H", lines["mm5"])})
    assert set(np.diff(ys)) == {5}
    assert thick == list(range(0, 271, 5))
    assert thin == [x for x in range(271) if x % 5]


@pytest.mark.parametrize("layout", ["3x4+1", "3x4", "6x2", "12x1"])
def test_every_lead_is_drawn_and_the_missing_one_says_so(layout, recording):
    svg = draw_ecg(recording, paper=Paper(layout))
    for lead in recording.leads:
        assert len(traces(svg, lead)) == 1 + (lead == "II" and layout == "3x4+1"), lead
    assert not traces(svg, "V3")
    assert svg.count("no signal</text>") == 1
    assert "No signal in V3</text>" in svg
    assert all(f">{lead}</text>" in svg for lead in LEADS)
    assert len(svg.encode()) < 250_000


def test_cabrera_turns_the_limb_leads_round_and_avr_over():
    y = np.tile(np.arange(5000) / 5000, (12, 1))
    names = [[cell.label for cell in row] for row in arrange(Recording(y, LEADS, 500), Paper("3x4", cabrera=True))]
    assert names == [["aVL", "II", "V1", "V4"], ["I", "aVF", "V2", "V5"], ["−aVR", "III", "V3", "V6"]]
    svg = draw_ecg(Recording(y, LEADS, 500), paper=Paper("12x1", cabrera=True))
    order = sorted((at, name) for _, at, name in texts(svg) if name.removeprefix("−") in LEADS)
    assert [name for _, name in order] == ["aVL", "I", "−aVR", "II", "aVF", "III", *LEADS[6:]]
    up, down = points(traces(svg, "I")[0]), points(traces(svg, "aVR")[0])
    assert up[-1, 1] - up[0, 1] == pytest.approx(-10, abs=0.02)  # the ramp rises on paper, where y points down
    assert down[-1, 1] - down[0, 1] == pytest.approx(10, abs=0.02)
    plain = points(traces(draw_ecg(Recording(y, LEADS, 500), paper=Paper("12x1")), "aVR")[0])
    assert plain[-1, 1] - plain[0, 1] == pytest.approx(-10, abs=0.02)


def test_leads_beyond_the_twelve_have_a_row_each():
    names = (*LEADS, "V7", "V3R", "X")
    recording = Recording(np.tile(np.sin(np.arange(5000) / 40), (15, 1)), names, 500)
    for layout in ("3x4+1", "3x4", "6x2", "12x1", "rows"):
        svg = draw_ecg(recording, paper=Paper(layout))
        for lead in ("V7", "V3R", "X"):
            assert np.ptp(points(traces(svg, lead)[0])[:, 0]) == pytest.approx(25 * 9.998, abs=0.011), (layout, lead)
    assert arrange(recording, Paper("3x4+1"))[-1][0].lead == "II"


def test_a_recording_that_is_no_twelve_lead_ecg_has_a_row_per_lead():
    holter = Recording(np.zeros((2, 5000)), ("MLII", "V5"), 360)
    assert choose_layout(holter, Paper()).layout == "rows"
    assert [[cell.lead for cell in row] for row in arrange(holter, Paper("rows"))] == [["V5"], ["MLII"]]
    assert "no signal</text>" not in draw_ecg(holter)
    eight = Recording(np.zeros((8, 5000)), (*LEADS[:2], *LEADS[6:]), 500)
    assert choose_layout(eight, Paper()).layout == "3x4+1"
    assert draw_ecg(eight).count("no signal</text>") == 4


def test_the_rhythm_strip_is_of_a_lead_that_has_signal():
    y = np.tile(np.sin(np.arange(5000) / 40), (12, 1))
    y[1] = np.nan
    svg = draw_ecg(Recording(y, LEADS, 500))
    assert "rhythm strip V1" in svg
    assert len(traces(svg, "V1")) == 2


@pytest.mark.parametrize(
    ("seconds", "begins", "said"),
    [
        (10, [0, 2.5, 5, 7.5], "follow one another"),
        (8, [0, 2, 4, 6], "follow one another"),
        (5.5, [0, 1, 2, 3], "overlap"),
        (2.5, [0, 0, 0, 0], "show the same"),
        (1.2, [0, 0, 0, 0], "show the same"),
    ],
)
def test_columns_of_short_recordings_share_what_there_is(seconds, begins, said):
    recording = Recording(np.tile(np.sin(np.arange(round(500 * seconds)) / 40), (12, 1)), LEADS, 500)
    row = arrange(recording, Paper("3x4"))[0]
    assert [cell.begin_s for cell in row] == pytest.approx(begins)
    assert all(cell.begin_s + cell.length_s <= seconds + 1e-9 for cell in row)
    assert f"columns {said}" in " ".join(t[2] for t in texts(draw_ecg(recording, paper=Paper("3x4"))))


def test_columns_follow_one_another_in_time():
    y = np.tile(np.arange(5000) / 5000, (12, 1))  # a ramp: the value tells the time
    svg = draw_ecg(Recording(y, LEADS, 500), paper=Paper("3x4+1"))
    first, third = points(traces(svg, "I")[0]), points(traces(svg, "V1")[0])
    assert first[0, 0] == pytest.approx(15, abs=0.01)
    assert third[0, 0] == pytest.approx(15 + 125, abs=0.01)
    # From 0 s to 5 s the ramp rises by 0.5 mV = 5 mm; both leads stand on one line.
    assert first[0, 1] - third[0, 1] == pytest.approx(5, abs=0.02)


def test_a_gap_stays_a_gap():
    y = np.zeros((1, 5000))
    y[0, 1000:1500] = np.nan
    assert traces(draw_ecg(Recording(y, ("II",), 500), paper=Paper("12x1")), "II")[0].get("d").count("M") == 2


def test_a_lead_of_nothing_but_gaps_has_no_signal():
    svg = draw_ecg(Recording(np.full((1, 5000), np.nan), ("II",), 500), paper=Paper("12x1"))
    assert not traces(svg, "II")
    assert svg.count("no signal</text>") == 12


def test_one_lonely_sample_is_a_dot():
    y = np.full((1, 5000), np.nan)
    y[0, 100] = 0.3
    trace = traces(draw_ecg(Recording(y, ("II",), 500), paper=Paper("12x1")), "II")[0]
    assert trace.get("d").endswith("h0")
    assert trace.get("stroke-linecap") == "round"  # without it a line of no length is not drawn


def test_high_waves_push_the_rows_apart():
    def height(mv):
        return float(parse(draw_ecg(pulse_recording(amplitude_mv=mv))).get("height").removesuffix("mm"))

    assert height(0.5) < height(2.5) <= height(25)  # beyond 3.5 mV rows may touch rather than grow for ever


def test_a_noisy_recording_stays_small():
    noise = np.random.default_rng(0).normal(0, 0.05, (12, 5000))
    svg = draw_ecg(Recording(noise, LEADS, 500), paper=Paper("12x1"))
    assert len(svg.encode()) < 250_000
    drawn = points(traces(svg, "V5")[0])
    assert np.ptp(drawn[:, 1]) == pytest.approx(10 * np.ptp(noise[LEADS.index("V5")]), abs=0.011)  # no peak is lost


def test_what_leaves_the_grid_is_cut_off_there_and_said():
    svg = draw_ecg(pulse_recording(amplitude_mv=25))
    grid = next(p for p in parse(svg).iter(f"{SVG}path") if p.get("class") == "mm5").get("d")
    top, bottom = (float(v) for v in re.search(r"M0 (\d+)V(\d+)", grid).groups())
    for lead in LEADS:
        for trace in traces(svg, lead):
            assert top <= points(trace)[:, 1].min()
            assert points(trace)[:, 1].max() <= bottom
    assert "I, II, III cut off at the edge of the grid" in svg
    assert "cut off" not in draw_ecg(pulse_recording(amplitude_mv=5))


def test_marks_lie_at_their_time(recording, fiducials):
    root = parse(draw_ecg(recording, fiducials=fiducials))
    at = {w: sorted(float(m.get("x1")) for m in root.iter(f"{SVG}line") if m.get("class") == f"mark-{w}") for w in "pt"}
    assert at["p"] == pytest.approx([15 + 25.0, 15 + 27.5])  # beat 1 has no P wave; lead II's marks are not drawn
    assert at["t"] == pytest.approx([15 + 35.0, 15 + 35.0, 15 + 40.0, 15 + 40.0])


def test_marks_outside_the_sheet_are_left_out(recording, fiducials):
    assert "mark-" not in draw_ecg(recording, fiducials=fiducials, paper=Paper(start_s=5))


def test_intervals_are_brackets_from_mark_to_mark_with_their_duration(recording, fiducials):
    svg = draw_ecg(recording, fiducials=fiducials, paper=Paper(speed=50))
    brackets = [points(p) for p in parse(svg).iter(f"{SVG}path") if p.get("class") == "interval"]
    ends = [(b[:, 0].min(), b[:, 0].max()) for b in brackets]
    # PR, QRS and QT of a beat whose P wave begins at 1 s
    assert np.array(ends) == pytest.approx(20 + 50 * np.array([[1.0, 1.16], [1.16, 1.26], [1.16, 1.6]]))
    said = [t for t in texts(svg) if t[2].startswith(("PR ", "QRS ", "QT "))]
    assert [t[2] for t in said if "ms" in t[2]] == ["PR 160 ms", "QRS 100 ms", "QT 440 ms"]


def test_the_beat_that_is_nearest_to_the_measurements_stands_for_the_others(recording, fiducials):
    one = fiducials.filter(lead="global", beat=0).to_dicts()[0]
    times = {name: v + 3 for name, v in one.items() if name.endswith("_s") and v is not None}
    longer = {**one, "beat": 1, **times, "t_offset_s": one["t_offset_s"] + 3.05}
    odd = {**longer, "beat": 2, "kind": "wide", "t_offset_s": longer["t_offset_s"] - 0.01}
    beats = FIDUCIALS.select([one, longer, odd])
    assert "QT 490 ms" in draw_ecg(recording, fiducials=beats, measurements={"qt_interval_ms": 485.0})
    assert "QT 440 ms" in draw_ecg(recording, fiducials=beats, measurements={"qt_interval_ms": 442.0})
    assert "QT 480 ms" in draw_ecg(recording, fiducials=beats.filter(kind="wide"), measurements={})


def test_marks_in_columns_that_overlap_lie_where_their_time_is_drawn(fiducials):
    short = Recording(np.tile(np.sin(np.arange(1250) / 40), (12, 1)), LEADS, 500)
    root = parse(draw_ecg(short, fiducials=fiducials.filter(beat=0), paper=Paper("3x4")))
    onsets = [float(m.get("x1")) for m in root.iter(f"{SVG}line") if m.get("class") == "mark-qrs"]
    assert sorted(onsets) == pytest.approx([15 + 25 * 1.16, 15 + 25 * 1.26])  # in the first column that shows them


def test_measurements_speed_gain_and_filter_are_printed(recording):
    values = {"heart_rate_bpm": 71.6, "pr_interval_ms": None, "qrs_axis_deg": -30.2, "qtc_fridericia_ms": float("nan")}
    svg = draw_ecg(recording, measurements=values, caption=Caption(filter_text="0.5–40 Hz"))
    assert "Rate 72/min · QRS axis −30°" in svg
    assert "QTc" not in svg
    assert "25 mm/s · 10 mm/mV · 0.5–40 Hz" in svg


def test_the_devices_measurements_stand_under_ours(recording):
    values = {"qrs_duration_ms": 90.2, "qtc_bazett_ms": 411.0, "qtc_fridericia_ms": 407.0}
    svg = draw_ecg(recording, measurements=values, machine={"qrs_duration_ms": 88.0, "qtc_bazett_ms": 412.0})
    at = {content: (x, y) for x, y, content in texts(svg)}
    for label, ours, theirs in (("QRS", "90 ms", "88 ms"), ("QTc Bazett", "411 ms", "412 ms")):
        assert at[label][0] == at[ours][0] == at[theirs][0]
        assert at[ours][1] == at["measured"][1] < at[theirs][1] == at["device"][1]
    assert "QTc Bazett" not in draw_ecg(recording, measurements=values)  # asked for only by what the device printed


def test_faults_are_said(recording):
    x = recording.signal.copy()
    x[3] = 0
    x[7] += np.random.default_rng(0).normal(0, 1, 5000)
    faulty = Recording(x, recording.leads, 500, id="r")
    svg = draw_ecg(faulty, caption=Caption(quality=assess(faulty), remarks=("something else",)))
    foot = next(content for _, _, content in texts(svg) if content.startswith("No signal"))
    assert foot.startswith("No signal in V3")
    assert "aVR flat" in foot
    assert foot.endswith("something else")


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
    with pytest.raises(InputError, match=r"layout must be one of auto, 3x4\+1, 3x4, 6x2, 12x1, rows; got '4x3'"):
        Paper("4x3")
    with pytest.raises(InputError, match="start_s must lie within the recording; got 10 s of 10 s"):
        draw_ecg(recording, paper=Paper(start_s=10))
    with pytest.raises(InputError, match="speed must be one of 25, 50; got 30"):
        Paper(speed=30)
    with pytest.raises(InputError, match="must have a lead to be drawn; got none in 'r'"):
        draw_ecg(Recording(np.zeros((0, 500)), (), 500, id="r"))


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
        svg = draw_ecg(read(header), paper=Paper(layout))
        assert "no signal" not in svg
        assert len(svg.encode()) < 250_000, layout
