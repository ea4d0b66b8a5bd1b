"""PDF and PNG are measured with rulers of their own: pypdf's boxes and drawing commands, and the PNG's bytes."""

import io
import re
import struct
import sys
import zlib
from itertools import combinations

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from pypdf import PdfReader

from twelvelead.report import Caption, Paper, draw_ecg, print_drawing, require_picture_name
from twelvelead.report.svg import document, element, line, text
from twelvelead.signal.recording import Recording
from twelvelead.terms import FIDUCIALS, LEADS, InputError, MissingExtra

MM = 72 / 25.4  # points


@pytest.fixture
def sheet(recording, fiducials):
    return draw_ecg(recording, fiducials=fiducials, measurements={"qrs_duration_ms": 90.0})


def size_of(svg):
    return [float(v) for v in fromstring(svg).get("viewBox").split()[2:]]


def png_chunks(content):
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(content):
        (length,), name = struct.unpack(">I", content[at : at + 4]), content[at + 4 : at + 8]
        chunks[name] = chunks.get(name, b"") + content[at + 8 : at + 8 + length]
        at += 12 + length
    return chunks


def pixels(content):
    """Decode an 8-bit RGBA PNG without a library that shares code with the one that wrote it."""
    chunks = png_chunks(content)
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 6)
    raw = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 4 * width)
    out = np.zeros((height, width, 4), np.uint8)
    above = np.zeros((width, 4), np.int64)
    for k, row in enumerate(raw):
        kind, values = row[0], row[1:].reshape(width, 4).astype(np.int64)
        if kind == 0:
            now = values
        elif kind == 1:
            now = np.cumsum(values, axis=0) % 256
        elif kind == 2:
            now = (values + above) % 256
        else:
            now = unfilter(kind, values, above)
        out[k], above = now, now
    return out


def unfilter(kind, values, above):
    now = np.zeros_like(values)
    left = corner = np.zeros(4, np.int64)
    for x, value in enumerate(values):
        up = above[x]
        if kind == 3:
            guess = (left + up) // 2
        else:
            p = left + up - corner
            near = np.abs(np.stack([p - left, p - up, p - corner]))
            best = near.argmin(axis=0)  # ties: left, then up
            guess = np.choose(best, [left, up, corner])
        left = now[x] = (value + guess) % 256
        corner = up
    return now


def test_a_pdf_page_is_as_large_as_the_drawing(sheet):
    page = PdfReader(io.BytesIO(print_drawing(sheet, ".pdf"))).pages[0]
    width, height = size_of(sheet)
    assert float(page.mediabox.width) / MM == pytest.approx(width, abs=0.1)
    assert float(page.mediabox.height) / MM == pytest.approx(height, abs=0.1)


def test_the_grid_of_a_pdf_is_of_millimetres(sheet):
    page = PdfReader(io.BytesIO(print_drawing(sheet, ".pdf"))).pages[0]
    moves: list[float] = []

    def visit(operator, operands, *_):
        if operator == b"m":
            moves.append(float(operands[0]) / MM)

    page.extract_text(visitor_operand_before=visit)
    on_grid = sorted({round(x, 2) for x in moves if abs(x / 5 - round(x / 5)) < 1e-3 and x >= 0})
    for k in range(55):
        assert any(abs(x - 5 * k) < 0.01 for x in on_grid), 5 * k
    thick = np.array([x for x in on_grid if abs(x / 25 - round(x / 25)) < 1e-4])
    assert np.diff(thick) == pytest.approx(25, abs=0.01)


def test_a_png_says_its_resolution_and_has_it(sheet):
    width, height = size_of(sheet)
    chunks = png_chunks(print_drawing(sheet, ".png", dpi=200))
    across, down = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert 0 <= width * 200 / 25.4 - across < 1
    assert 0 <= height * 200 / 25.4 - down < 1
    per_metre = struct.unpack(">IIB", chunks[b"pHYs"])
    assert per_metre == (round(200 / 0.0254), round(200 / 0.0254), 1)
    assert b"tEXt" not in chunks  # neither time nor version


def test_marks_of_a_png_lie_where_the_drawing_has_them():
    ground = element("rect", {"width": 40, "height": 20, "fill": "#ffffff"})
    pen = {"stroke": "#000000", "stroke-width": 0.4}
    drawn = [
        line((10, 2), (10, 18), pen),
        element("path", {"d": "M20 5H35V15h-3", "fill": "none", **pen}),
        element("circle", {"cx": 5, "cy": 10, "r": 2, "fill": "#ff0000"}),
        element(
            "path", {"d": "M2 2h0", "fill": "none", "stroke": "#0000ff", "stroke-width": 1, "stroke-linecap": "round"}
        ),
    ]
    image = pixels(print_drawing(document((40, 20), ground, *drawn, title="t", desc="d", unit="mm"), ".png", dpi=254))

    def at(x, y):
        return image[round(10 * y), round(10 * x), :3].tolist()

    assert at(10, 10) == at(27, 5) == at(35, 10) == at(33, 15) == [0, 0, 0]
    assert at(10, 1.5) == at(10, 18.5) == at(25, 10) == at(19.5, 5) == at(31, 15) == [255, 255, 255]
    assert at(5, 10) == at(6.5, 10) == [255, 0, 0]
    assert at(2, 2) == [0, 0, 255]  # a lonely sample
    dark = np.flatnonzero(image[100, :, 0] < 128) / 10
    assert dark[dark > 8].min() == pytest.approx(9.8, abs=0.11)  # half the pen before the line


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_same_drawing_same_bytes(sheet, suffix):
    assert print_drawing(sheet, suffix, dpi=60) == print_drawing(sheet, suffix, dpi=60)


def test_a_pdf_does_not_say_when_or_by_what_it_was_made(sheet):
    reader = PdfReader(io.BytesIO(print_drawing(sheet, ".pdf")))
    assert set(reader.metadata) == {"/Title"}
    assert reader.metadata.title == "12-lead ECG rec-1"
    assert "QRS" in reader.pages[0].extract_text()


def test_no_text_is_taken_for_mathematics_or_fails_for_want_of_a_letter():
    strange = Recording(np.zeros((1, 5000)), ("II",), 500, id=r"$\frac$ 心電図 <&>")
    for suffix in (".pdf", ".png"):
        assert print_drawing(draw_ecg(strange), suffix, dpi=40)


def test_what_is_not_there_is_said(sheet, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"a picture's name must end in .svg, .pdf, .png; got 'ecg.jpg'. Rename it."):
        require_picture_name(tmp_path / "ecg.jpg")
    for dpi in (19, 601):
        with pytest.raises(InputError, match=f"dpi must be 20 to 600; got {dpi}"):
            print_drawing(sheet, ".png", dpi=dpi)
    large = document((5000, 5000), title="t", desc="d", unit="mm")
    with pytest.raises(InputError, match="at most 400 million pixels; got 1550 million"):
        print_drawing(large, ".png", dpi=200)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'twelvelead\[plot\]'$"):
        print_drawing(sheet, ".pdf")
    assert print_drawing(sheet, ".svg").decode() == sheet


# --- no text lies on another, measured with the font's own letters ----------------------------------------------------


def boxes(svg):
    """Rectangles of all texts in mm, by the widths and heights that the letters have in DejaVu Sans."""
    for t in fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        size = float(t.get("font-size"))
        bold = t.get("font-weight") == "600"
        font = FT2Font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))
        font.set_size(100, 72)
        font.set_text(t.text, 0)
        wide = font.get_width_height()[0] / 64 * size / 100
        x = float(t.get("x")) - {"middle": wide / 2, "end": wide}.get(t.get("text-anchor"), 0)
        y = float(t.get("y"))
        yield t.text, (x, y - 0.73 * size, x + wide, y)


def beats_at(rate, *, n=20):
    rr = 60 / rate
    pr, qt = min(0.16, 0.25 * rr), min(0.4, 0.6 * rr)
    rows = []
    for beat in range(n):
        q = 0.05 + pr + beat * rr
        rows.append(
            {
                "recording_id": "r", "lead": "global", "beat": beat, "p_onset_s": q - pr, "p_peak_s": None,
                "p_offset_s": q - pr + 0.08 * min(1, rr), "qrs_onset_s": q, "r_peak_s": None, "qrs_offset_s": q + 0.09,
                "t_onset_s": q + 0.55 * qt, "t_peak_s": None, "t_offset_s": q + qt, "kind": "dominant",
                "p_confidence": None, "qrs_confidence": None, "t_confidence": None,
            }
        )  # fmt: skip
    return FIDUCIALS.select(rows)


def spiky(mv, names=LEADS, *, seconds=10.0, fs=250):
    """Beats of `mv` up in one lead and down in the next, from the first sample on."""
    y = np.zeros((len(names), round(seconds * fs)))
    y[:, :: fs // 2], y[:, 3 :: fs // 2] = mv, -0.7 * mv
    y[1::2] *= -1
    return Recording(y, names, fs, id="r" * 90)


CAPTION = Caption(
    subject=("Somebody with a very long name indeed", "female, 63 years", "2020-02-02 02:02:02", "Device " * 12),
    remarks=("a remark that goes on and on, " * 8,),
)
VALUES = dict.fromkeys(
    ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_bazett_ms", "qtc_fridericia_ms",
     "qtc_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"), -1234.0,
)  # fmt: skip


OTHERS = (*LEADS[:6], *LEADS[7:], "V7", "Somewhere else")


@pytest.mark.parametrize(
    ("layout", "mv", "seconds", "names", "paper", "rate"),
    [
        ("3x4+1", 0.3, 10, LEADS, {}, 180),
        ("3x4+1", 6.0, 10, OTHERS, {"speed": 50, "cabrera": True}, 120),
        ("3x4+1", 2.0, 1.3, LEADS, {"gain": 20}, 75),
        ("3x4", 2.0, 10, OTHERS, {"gain": 20}, 40),
        ("6x2", 2.0, 10, LEADS, {"gain": 5}, 180),
        ("6x2", 0.3, 1.3, OTHERS, {"speed": 50, "gain": 20}, 60),
        ("12x1", 6.0, 10, LEADS, {"gain": 20, "cabrera": True}, 40),
        ("12x1", 0.3, 10, OTHERS, {"gain": 5}, 120),
        ("rows", 2.0, 10, OTHERS, {"speed": 50, "gain": 5}, 180),
        ("rows", 6.0, 1.3, ("MLII",), {}, 75),
    ],
)
def test_no_text_lies_on_another_or_beyond_the_paper(layout, mv, seconds, names, paper, rate):
    svg = draw_ecg(
        spiky(mv, names, seconds=seconds), paper=Paper(layout, **paper), caption=CAPTION,
        fiducials=beats_at(rate), measurements=VALUES, machine=VALUES,
    )  # fmt: skip
    width, height = size_of(svg)
    placed = list(boxes(svg))
    for name, (left, top, right, bottom) in placed:
        assert left >= 0, name
        assert top >= 0, name
        assert right <= width, name
        assert bottom <= height, name
    for (a, p), (b, q) in combinations(placed, 2):
        apart = p[2] <= q[0] or q[2] <= p[0] or p[3] <= q[1] or q[3] <= p[1]
        assert apart, f"{a!r} lies on {b!r}"


@pytest.mark.parametrize("layout", ["12x1", "6x2"])
def test_no_name_lies_on_a_trace_where_there_is_room_elsewhere(layout):
    beats = spiky(2.0)
    early = Recording(np.roll(beats.signal, 35, axis=1), LEADS, beats.fs)  # a beat where names stand, 3.5 mm from there
    svg = draw_ecg(early, paper=Paper(layout))
    names = {name: box for name, box in boxes(svg) if name in LEADS}
    assert len(names) == 12
    for path in fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        if path.get("class") == "trace":
            pairs = re.findall(r"[ML]([-\d.]+ [-\d.]+)", path.get("d"))
            xy = np.array([[float(v) for v in pair.split()] for pair in pairs])
            x = np.arange(xy[0, 0], xy[-1, 0], 0.02)
            y = np.interp(x, xy[:, 0], xy[:, 1])
            for name, (left, top, right, bottom) in names.items():
                inside = (x > left) & (x < right) & (y > top) & (y < bottom)
                assert not inside.any(), name


def test_overlap_is_seen_by_the_ruler():
    both = document((20, 10), *(text((x, 5), "QRS", {"font-size": 3}) for x in (2, 4)), title="t", desc="d")
    (_, p), (_, q) = boxes(both)
    assert p[2] > q[0]
    assert 5 < p[2] - p[0] < 7  # three letters of 3 mm
