"""Interpretations written out: no number without a unit and a place, in any format; boxes that hold what they say."""

import io
import json
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from twelvelead.interpret.case import examine
from twelvelead.interpret.criteria import Finding, Is, Pack
from twelvelead.interpret.narrate import evidence_id
from twelvelead.interpret.narrate_words import say_value
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.proof import Span
from twelvelead.io import read
from twelvelead.report import Paper, draw_ecg, print_drawing
from twelvelead.report.boxes import find_boxes
from twelvelead.report.ecg import lay_out
from twelvelead.report.interpretation import PLACES, as_json, as_text, interpret_case, quoted_in
from twelvelead.report.interpretation_page import interpretation_page
from twelvelead.signal.recording import Recording
from twelvelead.terms import LEADS, RESEARCH_ONLY

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILES = (
    "ptbxl/records500/00000/00001_hr.hea",
    "ptbxl/records500/00000/00113_hr.hea",  # something is indeterminate
    "ptbxl/records500/00000/00190_hr.hea",  # paced
    "ptbxl/records500/00000/00330_hr.hea",  # fibrillation
    "ecg-id/Person_01/rec_1.hea",  # one lead, 20 s
)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to interpret")
every_file = pytest.mark.parametrize("file", FILES)
UNITS = ("ms", "mV", "bpm", "°", "mV·ms", "mV/s")
_NUMBER = r"(?<![\w.′])[-−]?\d+(?:\.\d+)?"


@lru_cache
def reading_of(file):
    path = DATA / file
    if not path.is_file():
        pytest.skip(f"{file} is absent")
    return interpret_case(examine(read(path), age_years=61.0, sex="female"), DEFAULT)


def without_units(text: str) -> list[str]:
    """Give the numbers of a text that no unit follows; leads, times in seconds, beats and years are none."""
    text = re.sub(r"\b\d+(?:\.\d+)? to \d+\.\d+ s\b|\bbeat \d+|\b(?:V[1-6]|J\d0)\b", "", text)
    unit = "|".join(map(re.escape, sorted(UNITS, key=len, reverse=True)))
    return re.findall(rf"{_NUMBER}(?!\d)(?!\s?(?:{unit}|years|s\b|leads|stretches))(?![\d.]*\s?(?:{unit}|years))", text)


def test_the_law_below_can_fail():
    assert without_units("QRS duration 97 ms, R 1.20 mV in V5: V5, 1.254 to 1.332 s, QRS of beat 2.") == []
    assert without_units("QRS duration 97, R 1.20 in V5.") == ["97", "1.20"]


@needs_data
@every_file
def test_text_has_no_number_without_a_unit_and_names_the_place_of_each(file):
    reading = reading_of(file)
    text = as_text(reading)
    body = text.split("\n\n", 1)[1]
    report, places = body.split(f"{PLACES}:\n")
    for s in reading.statements:
        rest = s.text
        for fact in s.facts:
            assert rest[fact.start : fact.end].strip()
            rest = rest[: fact.start] + " " * (fact.end - fact.start) + rest[fact.end :]
        assert without_units(rest) == [], s.text
    assert without_units(report) == []
    lines = places.split("\n\n")[0].splitlines()
    quoted = quoted_in(reading.statements, reading.case)
    assert len(lines) == len(quoted) > 5
    for line, evidence in zip(lines, quoted, strict=True):
        assert say_value(evidence.value, evidence.unit) in line
        assert re.search(r"\d+\.\d{3} to \d+\.\d{3} s", line), line
        assert evidence.lead is None or f": {evidence.lead}, " in line, line
    assert text.rstrip().endswith(RESEARCH_ONLY)


def _walk(node, path=()):
    yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from _walk(child, (*path, key))


@needs_data
@every_file
def test_json_has_each_number_with_unit_and_spans_inside_the_recording(file):
    content = json.loads(json.dumps(as_json(reading_of(file), boxes=True), allow_nan=False))
    known = content["evidence"]
    for path, node in _walk(content):
        if isinstance(node, bool) or not isinstance(node, int | float):
            continue
        named = next(str(step) for step in reversed(path) if isinstance(step, str))
        assert named in {"value", "error", "beat"} or re.search(r"_(s|hz|px|years|mm_s|mm_mv)$", named), path
    for identity, number in known.items():
        assert identity == evidence_id(number["name"])
        assert number["unit"]
        assert number["spans"]
        for span in number["spans"]:
            assert 0 <= span["start_s"] <= span["end_s"] <= content["signal"]["duration_s"]
            assert number["lead"] in {None, span["lead"]}
    used = [
        i for path, node in _walk(content) if path and path[-1] == "evidence" and isinstance(node, list) for i in node
    ]
    assert used
    assert set(used) <= set(known)
    assert {f["key"] for f in content["findings"]} == {f.key for f in DEFAULT.findings}
    for finding in content["findings"]:
        assert finding["verdict"] in {"met", "not met", "indeterminate"}
        assert (finding["verdict"] == "indeterminate") == bool(finding.get("why"))
    for s in content["statements"]:
        assert s["evidence"], s
        assert without_units(s["text"]) == [], s


class _Page(HTMLParser):
    """What a page has: ids, links, the words outside the drawing, and the tags that a browser would fetch or run."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.words, self.tags, self._off = [], [], [], [], 0

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self._off += tag in {"svg", "style"}

    def handle_endtag(self, tag):
        self._off -= tag in {"svg", "style"}

    def handle_data(self, data):
        if not self._off:
            self.words.append(data)


@needs_data
@every_file
def test_a_page_links_each_sentence_to_its_boxes_and_each_number_to_its_place(file):
    reading = reading_of(file)
    html = interpretation_page(reading)
    page = _Page()
    page.feed(html)
    assert len(page.ids) == len(set(page.ids))
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == ["data:,"]
    assert not [tag for tag, _ in page.tags if tag in {"script", "img", "iframe", "object"}]
    assert not [a for _, a in page.tags if any(name.startswith("on") or name == "src" for name in a)]
    for k, s in enumerate(reading.statements):
        assert {f"s{k}", f"b{k}"} <= set(page.ids)
        for fact in s.facts:
            assert evidence_id(fact.name) in page.ids
        group = re.search(rf'<g [^>]*id="b{k}">(.*?)</g>', html, re.DOTALL)
        assert group is not None, s.text
        assert "<rect" in group[1], s.text
    rows = re.findall(r'<tr id="(m:[^"]+)">.*?<td>(.*?)</td><td>(.*?)</td></tr>', html)
    assert len(rows) >= len(quoted_in(reading.statements, reading.case))
    for identity, value, place in rows:
        assert re.search(r"\d", value), identity
        assert re.search(r"\d+\.\d{3} to \d+\.\d{3} s", place), identity
    words = "".join(page.words)
    assert words.count(RESEARCH_ONLY) == 2
    for word in ("Borderline", "can't be judged"):
        assert word.lower() in words.lower()


def _pulse() -> Recording:
    signal = np.zeros((12, 5000), dtype=np.float32)
    signal[:, 1000:1050] = 1.0  # 1 mV from 2.0 to 2.1 s
    return Recording(signal, LEADS, 500.0, id="pulse")


@pytest.mark.parametrize("layout", ["12x1", "3x4", "3x4+1", "6x2"])
@pytest.mark.parametrize("dpi", [100, 254])
def test_a_box_holds_the_black_pixels_of_its_stretch_and_no_others(layout, dpi):
    """1 mV is 10 mm up, 0.1 s is 2.5 mm along; the picture is looked at pixel by pixel."""
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    recording, paper = _pulse(), Paper(layout=layout)
    picture = imread(io.BytesIO(print_drawing(draw_ecg(recording, paper=paper), ".png", dpi=dpi)))
    (box, *others) = find_boxes(Span("II", 2.0, 2.1, "QRS", 0), lay_out(recording, paper=paper))
    assert len(others) == (layout == "3x4+1")
    assert box.right - box.left == pytest.approx(2.5)
    assert box.bottom - box.top == pytest.approx(12.0, abs=0.1)
    left, top, right, _ = box.pixels(dpi)
    black = picture[:, :, :3].max(axis=2) < 0.4
    pen = max(1, round(0.3 * dpi / 25.4))
    roof = black[top : round(top + 1.5 * dpi / 25.4), left:right]
    assert roof.any(axis=0).mean() > 0.9
    margin = round(2 * dpi / 25.4)
    beside = black[top : round(top + 2 * dpi / 25.4), right + 2 * pen : right + margin]
    assert not beside.any()


def test_boxes_of_all_leads_stand_in_every_column_that_shows_the_time_and_else_nowhere():
    recording = _pulse()
    twelve, three = (lay_out(recording, paper=Paper(layout=layout)) for layout in ("12x1", "3x4+1"))
    (one,) = find_boxes(Span(None, 2.0, 2.1, "QRS", 0), twelve)
    assert one.lead is None
    assert one.top < twelve.baselines[0] - 10 < twelve.baselines[-1] < one.bottom
    assert len(find_boxes(Span(None, 2.0, 2.1, "QRS", 0), three)) == 1  # column and rhythm strip begin together
    assert len(find_boxes(Span(None, 6.0, 6.1, "QRS", 0), three)) == 1  # as on a cart's print, the strip below agrees
    short = Recording(recording.signal[:, 750:1250], LEADS, 500.0, id="short")  # its columns all show the same second
    columns = find_boxes(Span(None, 0.5, 0.6, "QRS", 0), lay_out(short, paper=Paper(layout="3x4")))
    assert len(columns) == 4
    assert find_boxes(Span("V5", 2.0, 2.1, "QRS", 0), three) == ()  # V5 is shown from 7.5 s on
    assert find_boxes(Span("V5", 12.0, 12.1, "QRS", 0), twelve) == ()
    (part,) = find_boxes(Span("V5", 9.9, 12.1, "RR"), twelve)
    assert part.right - part.left == pytest.approx(2.5)


@needs_data
def test_a_long_recordings_sheet_shows_the_beat_that_was_measured():
    reading = reading_of(FILES[-1])
    content = as_json(reading, boxes=True)
    boxes = [s["boxes_px"] for s in content["evidence"]["m:qrs_duration_ms"]["spans"]]
    assert boxes[0]
    assert content["image"]["width_px"] > boxes[0][0][2]


def test_hostile_names_stay_text():
    reading = reading_of(FILES[0])
    case = reading.case
    named = Recording(case.recording.signal, case.recording.leads, case.recording.fs, id='<script>"&x')
    hostile = interpret_case(examine(named), DEFAULT)
    assert "<script>" not in interpretation_page(hostile)


def test_a_label_with_markup_stays_text():
    reading = reading_of(FILES[0])
    finding = Finding("x", "<b>bold</b>", "rhythm", Is("heart_rate_bpm", ">", 0), "doi:10.1/x")
    page = interpretation_page(interpret_case(reading.case, Pack("p", "<i>", "doi:10.1/x", (finding,))))
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page
