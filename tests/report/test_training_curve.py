"""The drawing of a training: every point where it must lie."""

import re
import xml.etree.ElementTree as ET

import polars as pl

from twelvelead.report.training_curve import draw_training

LOG = pl.DataFrame(
    {
        "step": [0, 50, 100],
        "loss": [None, 0.8, 0.4],
        "held_out_loss": [1.0, 0.75, 0.5],
        "embedding_std": [0.0, 0.1, 0.2],
        "effective_rank": [4.0, 6.0, 8.0],
    }
)


def points(path):
    return [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([\d.]+ [\d.]+)", path.get("d"))]


def test_curves_begin_and_end_where_they_must():
    root = ET.fromstring(draw_training(LOG))  # noqa: S314 - ours
    curves = [points(p) for p in root.iter("{http://www.w3.org/2000/svg}path") if p.get("stroke-width") == "1.6"]
    trained, held_out, spread, rank = curves
    # The axis of losses goes from 0 (at 306) to 1.05 (at 16), that of steps from 56 to 386.
    assert trained == [(221.0, round(306 - 290 * 0.8 / 1.05, 2)), (386.0, round(306 - 290 * 0.4 / 1.05, 2))]
    assert [x for x, _ in held_out] == [56.0, 221.0, 386.0]
    assert held_out[0][1] == round(306 - 290 / 1.05, 2)
    assert spread[0] == (466.0, 146.0)
    assert rank[-1] == (646.0, round(306 - 130 / 1.05, 2))


def test_it_is_said_in_words_and_collapse_can_be_drawn():
    assert "the loss was 0.4 in training and 0.5 on recordings held out" in draw_training(LOG)
    draw_training(LOG.head(1))  # before the first step
    flat = LOG.with_columns(embedding_std=pl.lit(0.0), effective_rank=pl.lit(0.0))
    assert "effective rank of 0." in draw_training(flat)
