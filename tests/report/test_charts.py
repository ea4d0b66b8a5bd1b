"""Known values must come out at known places of each drawing."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.report import (
    draw_beeswarm,
    draw_calibration,
    draw_decision,
    draw_dependence,
    draw_flow,
    draw_forest,
    draw_roc,
    draw_waterfall,
)
from twelvelead.report.axes import MODEL_STYLES, Panel, choose_ticks
from twelvelead.report.curves import style_of, thin
from twelvelead.report.swarm import colour_of, describe_trend, pile, shade_of
from twelvelead.report.target_section import decide_limit
from twelvelead.report.waterfall import choose_steps
from twelvelead.terms import FLOW

HOSTILE = '<script>alert(1)</script> & "co"'
SVG = "{http://www.w3.org/2000/svg}"


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 (our own drawing)


def elements(svg, name):
    return list(parse(svg).iter(f"{SVG}{name}"))


def path_points(path):
    return [tuple(map(float, xy.split())) for xy in re.findall(r"[ML]([-\d.]+ [-\d.]+)", path.get("d"))]


def path_of(svg, colour, *, least=2):
    found = [p for p in elements(svg, "path") if p.get("stroke") == colour and len(path_points(p)) >= least]
    return path_points(found[0])


def performance_row(target, model, estimate):
    return {
        "target": target, "model": model, "set": "internal", "metric": "auroc", "stratum": "all", "estimate": estimate,
        "lower": estimate - 0.04, "upper": estimate + 0.04, "level": 0.95, "n": 60, "n_patients": 55, "n_events": 20,
    }  # fmt: skip


def shap_table(values, shap, feature="pr_interval_ms"):
    ids = [f"r{i:03d}" for i in range(len(values))]
    return pl.DataFrame({"recording_id": ids, "feature": feature, "value": values, "shap": shap})


def test_panel_maps_corners_to_corners():
    panel = Panel((2, 4), (10, 20), left=50, top=30, width=200, height=100)
    assert panel.at(2, 10) == (50, 130)
    assert panel.at(4, 20) == (250, 30)


@given(st.floats(-100, 100), st.floats(0.001, 100), st.integers(2, 9))
def test_ticks_lie_within_the_limits_evenly(lower, width, n):
    ticks = choose_ticks(lower, lower + width, n)
    assert all(lower - 1e-6 <= t <= lower + width + 1e-6 for t in ticks)
    assert 1 <= len(ticks) <= n + 1
    assert np.allclose(np.diff(ticks, 2), 0, atol=1e-6)


def test_no_two_models_share_a_colour_dash_or_marker():
    for part in ("colour", "dash", "marker"):
        looks = [getattr(style, part) for style in (*MODEL_STYLES.values(), style_of("another"))]
        assert len(set(looks)) == len(looks), part


@pytest.mark.parametrize("style", MODEL_STYLES.values(), ids=MODEL_STYLES)
def test_lines_keep_a_contrast_of_three_on_white(style):
    channels = [int(style.colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # WCAG 2.2
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_roc_point_lies_where_it_must():
    curve = pl.DataFrame({"sensitivity": [0.0, 0.5, 1.0], "specificity": [1.0, 0.75, 0.0]})
    svg = draw_roc({"ecg": curve}, aurocs={"ecg": "0.63 (0.60 to 0.66)"}, subject=HOSTILE)
    # The frame is 256 px wide and high, from (52, 12): 1 − specificity 0.25, sensitivity 0.5.
    assert path_of(svg, style_of("ecg").colour, least=3) == [(52, 268), (52 + 64, 12 + 128), (308, 12)]
    assert "ECG 0.63 (0.60 to 0.66)" in svg
    assert "<script" not in svg


def test_calibration_point_interval_and_histogram_lie_where_they_must():
    curve = pl.DataFrame(
        {"predicted": [0.25, 0.75], "observed": [0.5, 1.0], "lower": [0.25, None], "upper": [0.75, None],
         "smoothed": [0.5, None]}
    )  # fmt: skip
    svg = draw_calibration(curve, risks=[0.1, 0.1, 0.9], model="ecg", summary=["slope 1.00"], subject="MI")
    bars = [(float(r.get("x")), float(r.get("height"))) for r in elements(svg, "rect")]
    # Axes end at 1; 40 bins of 6.4 px from 52; the tallest bar has 46 px.
    assert bars == [pytest.approx((52 + 4 * 6.4, 46)), pytest.approx((52 + 36 * 6.4, 23))]
    limits = [e for e in elements(svg, "line") if e.get("stroke") == style_of("ecg").colour]
    assert [(float(e.get("x1")), float(e.get("y1")), float(e.get("y2"))) for e in limits] == [(116, 204, 76)]
    assert "slope 1.00" in svg


def test_calibration_of_small_risks_is_enlarged():
    curve = pl.DataFrame(
        {"predicted": [0.02], "observed": [0.03], "lower": [0.01], "upper": [0.04], "smoothed": [0.03]}
    )
    svg = draw_calibration(curve, risks=[0.02], model="ecg", summary=[], subject="MI")
    assert ">0.05</text>" in svg
    assert ">0.1</text>" not in svg


def test_decision_curve_crosses_zero_on_the_line_of_acting_on_none():
    curve = pl.DataFrame({"threshold": [0.0, 0.25, 0.5], "model": [0.4, 0.2, 0.0], "all": [0.4, 0.2, -0.2]})
    svg = draw_decision({"ecg": curve}, subject="MI")
    drawn = path_of(svg, style_of("ecg").colour)
    none = next(float(e.get("y1")) for e in elements(svg, "line") if e.get("stroke-width") == "1")
    assert drawn[-1][1] + 12 == pytest.approx(none, abs=0.02)  # the curve is drawn in a viewport that begins at 12
    assert [x for x, _ in drawn] == [0, 128, 256]
    assert "act on all" in svg


def test_thinning_keeps_ends_and_length():
    points = [(float(i), 0.0) for i in range(1000)]
    kept = thin(points, 240)
    assert len(kept) == 240
    assert (kept[0], kept[-1]) == (points[0], points[-1])


def test_forest_puts_estimates_in_order_and_writes_the_interval():
    rows = pl.DataFrame(
        [
            performance_row("MI", "ecg", 0.8),
            performance_row("MI", "age_sex", 0.7),
        ]
    )
    svg = draw_forest(
        rows, titles={"MI": HOSTILE, "CD": "Never modelled"}, metric="auroc", axis_title="AUROC", reference=0.5,
        optimum={"MI": 0.9},
    )  # fmt: skip
    spans = {e.get("stroke"): (float(e.get("x1")), float(e.get("x2"))) for e in elements(svg, "line")}
    age_sex, ecg = spans[style_of("age_sex").colour], spans[style_of("ecg").colour]
    # Both intervals are 0.08 wide; 0.8 lies 0.1 right of 0.7. Limits are 0.5 to 0.9 with 4 % on each side, over 330 px.
    per_unit = 330 / (0.4 * 1.08)
    assert ecg[1] - ecg[0] == pytest.approx(0.08 * per_unit, abs=0.02)
    assert ecg[0] - age_sex[0] == pytest.approx(0.1 * per_unit, abs=0.02)
    assert "0.80 (0.76 to 0.84)" in svg
    assert sum(e.get("class") == "optimum" for e in elements(svg, "line")) == 1
    assert "<script" not in svg


def test_forest_of_something_not_estimable_says_so():
    row = {**performance_row("MI", "ecg", 0.8), "estimate": None, "lower": None, "upper": None}
    rows = pl.DataFrame([row, performance_row("CD", "ecg", 0.6)])
    svg = draw_forest(rows, titles={"MI": "M", "CD": "C"}, metric="auroc", axis_title="AUROC", reference=0.5)
    assert "not estimable" in svg


def test_beeswarm_places_each_dot_at_its_shap_value_and_colours_it_by_rank():
    svg = draw_beeswarm(shap_table([1.0, 2.0, None], [-1.0, 1.0, 0.0]), subject="MI")
    at = {p.get("stroke"): p.get("d") for p in elements(svg, "path") if p.get("stroke-linecap") == "round"}
    low, high, missing = (float(at[c].split()[0][1:]) for c in (colour_of(0), colour_of(8), "#1a1a1a"))
    # From −1.1 to 1.1 over 400 px from 200.
    assert low == pytest.approx(200 + 400 * 0.1 / 2.2, abs=0.01)
    assert high == pytest.approx(200 + 400 * 2.1 / 2.2, abs=0.01)
    assert missing > 0


def test_beeswarm_shows_the_strongest_predictors_first():
    table = pl.concat(
        [shap_table([1.0, 2.0], [0.1, 0.2], f"f{i}_ms").with_columns(pl.col("shap") * i) for i in range(20)]
    )
    svg = draw_beeswarm(table, subject="MI", n_features=12)
    named = re.findall(r">(f\d+) \(ms\)</text>", svg)
    assert named == [f"f{i}" for i in range(19, 7, -1)]


def test_beeswarm_thins_a_large_table_deterministically():
    table = shap_table(list(range(3000)), np.linspace(-1, 1, 3000).tolist())
    svg = draw_beeswarm(table, subject="MI", n_points=300)
    assert svg.count("h0") <= 302  # 300 dots, one in the legend
    assert svg == draw_beeswarm(table.sample(fraction=1, shuffle=True, seed=1), subject="MI", n_points=300)


@given(st.lists(st.floats(0, 400), max_size=80))
def test_piled_dots_stay_near_their_line(x):
    offsets = pile(x, diameter=4, most=14)
    assert len(offsets) == len(x)
    assert (np.abs(offsets) <= 14 + 1e-9).all()


def test_dots_at_one_place_do_not_hide_one_another():
    offsets = pile([10.0] * 7, diameter=4, most=14)
    assert sorted(offsets.tolist()) == [-12, -8, -4, 0, 4, 8, 12]


def test_shades_go_by_rank_and_leave_missing_values_out():
    assert shade_of(pl.Series([5.0, 100.0, None, 7.0])).to_list() == [0, 8, None, 4]


@pytest.mark.parametrize(
    ("shap", "words"),
    [([3.0, 2.0, 1.0], "↓ risk lower"), ([1.0, -2.0, 1.0], "∼ mixed"), ([1.0, 1.0, 1.0], "∼ no trend")],
)
def test_trend_in_words(shap, words):
    assert describe_trend(pl.DataFrame({"value": [1.0, 2.0, 3.0], "shap": shap})) == words


def test_dependence_maps_value_to_x_and_counts_the_missing():
    svg = draw_dependence(shap_table([0.0, 100.0, None], [0.0, 1.0, 0.5]), feature="pr_interval_ms", subject="MI")
    assert "1 of 3 missing" in svg
    assert "PR interval (ms)" in svg
    many = draw_dependence(
        shap_table(list(range(101)), [0.01 * i for i in range(101)]), feature="pr_interval_ms", subject=""
    )
    assert many.count("h0") == 101


def test_dependence_on_a_constant_is_drawn():
    svg = draw_dependence(shap_table([5.0, 5.0], [0.1, 0.1]), feature="pr_interval_ms", subject="MI")
    assert svg.count("h0") == 2


def test_waterfall_adds_up_from_base_to_margin():
    reasons = [{"feature": f"f{i}_ms", "value": float(i), "shap": 0.1 * i * (-1) ** i} for i in range(1, 15)]
    steps = choose_steps(reasons)
    assert len(steps) == 11
    assert steps[-1][0] == "4 other predictors"
    assert sum(v for _, v in steps) == pytest.approx(sum(r["shap"] for r in reasons))
    svg = draw_waterfall(reasons, base=-1.0, risk=0.25, subject=HOSTILE)
    margin = -1 + sum(r["shap"] for r in reasons)
    assert f"margin {margin:.2f} → predicted risk 0.25".replace("-", "−") in svg
    assert "<script" not in svg
    bars = [p.get("d") for p in elements(svg, "path") if p.get("d").endswith("z")]
    starts = [float(re.match(r"M([-\d.]+)", d)[1]) for d in bars]
    tips = [float(re.search(r"L([-\d.]+)", d)[1]) for d in bars]
    assert starts[1:] == pytest.approx(tips[:-1], abs=0.011)  # each bar begins where the last one ended


def test_flow_names_what_was_excluded_and_escapes_it():
    flow = FLOW.select(
        [
            {"step": "in the database", "n_recordings": 12040, "n_patients": 6000, "excluded": 0},
            {"step": HOSTILE, "n_recordings": 12000, "n_patients": 5990, "excluded": 40},
            {"step": "nothing lost", "n_recordings": 12000, "n_patients": 5990, "excluded": 0},
        ]
    )
    svg = draw_flow(flow, subject="A")
    assert "12\u202f040 recordings, 6\u202f000 patients" in svg
    assert svg.count("excluded: 40 recordings</text>") == 1
    assert svg.count("excluded: ") == 1
    assert "<script" not in svg
    assert len(elements(svg, "rect")) == 3


def test_decision_curves_end_at_a_tenth():
    assert decide_limit([[0.001] * 10]) == 0.1
    assert decide_limit([[0.999] * 10]) == 1.0


@pytest.mark.parametrize("size", [11])
def test_no_text_is_smaller_than_eleven_pixels(size):
    curve = pl.DataFrame({"sensitivity": [0.0, 1.0], "specificity": [1.0, 0.0]})
    for svg in (
        draw_roc({"ecg": curve}, aurocs={}, subject="MI"),
        draw_beeswarm(shap_table([1.0, 2.0], [0.1, 0.2]), subject="MI"),
        draw_waterfall([{"feature": "x", "value": 1.0, "shap": 0.1}], base=0, risk=0.5, subject="MI"),
    ):
        assert min(float(t.get("font-size")) for t in elements(svg, "text")) >= size
