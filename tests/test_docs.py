"""The documentation is under test."""

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from twelvelead.app.cli import main
from twelvelead.measure import CATALOGUE
from twelvelead.measure.beats import find_beats
from twelvelead.measure.condition import STEP, WANDER_HZ, condition
from twelvelead.measure.kinds import WIDE_S
from twelvelead.measure.shapes import MOST_BEATS
from twelvelead.measure.windows import OVERLAP_S, PIECE_S
from twelvelead.simulate import SITE_A, hospital, recording

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = generator()


@pytest.mark.parametrize("name", GENERATE.PAGES)
def test_generated_pages_are_up_to_date(name):
    assert (ROOT / "docs" / name).read_text() == GENERATE.PAGES[name](), "run `make docs`"


def test_every_command_is_documented(capsys):
    main(["--help"])
    commands = set(re.findall(r"^│ (\w+) ", capsys.readouterr().out, re.MULTILINE))
    assert commands == set(GENERATE.COMMANDS)


def test_every_measurement_is_in_the_catalogue_page():
    page = (ROOT / "docs" / "catalogue.md").read_text()
    for m in CATALOGUE:
        name = m.name if m.lead is None else m.name.replace(f"_{m.lead.lower()}_", "_<lead>_")
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_within_the_repository_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_commands_in_the_documentation_exist(path):
    known = {*GENERATE.COMMANDS, "--help", "--version"}
    for command in re.findall(r"^(?:\$ )?twelvelead (\S+)", path.read_text(), re.MULTILINE):
        assert command in known, command


def test_the_readme_says_what_it_must():
    readme = (ROOT / "README.md").read_text()
    for said in ("make demo", "make test", "not a medical device", "simulated"):
        assert said in readme


def test_decisions_are_numbered_and_confirmed():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [p.name[:4] for p in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        assert "**Confirmation.**" in path.read_text()


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MEASURING = ROOT / "docs" / "measuring"
PAGE = (ROOT / "docs" / "how-we-measure.md").read_text()


def test_each_picture_of_how_we_measure_is_drawn_by_the_script_and_used_once():
    used = re.findall(r"\]\(measuring/(\w+)\.svg\)", PAGE)
    assert sorted(used) == sorted(p.stem for p in MEASURING.glob("*.svg")) == sorted(script("draw_measuring").PICTURES)


def test_pictures_of_how_we_measure_are_small_and_whole():
    sizes = [p.stat().st_size for p in MEASURING.glob("*.svg")]
    assert max(sizes) <= 150_000
    assert sum(sizes) <= 1_200_000
    for path in MEASURING.glob("*.svg"):
        assert ElementTree.parse(path).getroot().get("viewBox"), path  # noqa: S314 (our own)


def test_tables_of_how_we_measure_hold_the_figures_that_were_found():
    scoring = script("score_measuring")
    figures = scoring.read_figures()
    assert scoring.fill(PAGE, figures) == PAGE, "run docs/score_measuring.py"
    for name in scoring.TABLES:
        assert PAGE.count(f"<!-- {name} -->") == 1, name
    changed = figures | {"noise": {"eight leads": dict.fromkeys(figures["noise"]["eight leads"], 12.34)}}
    assert "12.34" in scoring.fill(PAGE, changed)


def test_the_figures_of_unseen_records_are_those_of_the_refiners_card():
    scoring = script("score_measuring")
    card = scoring.read_card()
    assert scoring.read_figures()["unseen"] == card, "the refiner was trained anew: run docs/score_measuring.py"
    assert set(card["points"]) == set(scoring.POINTS)


def test_what_the_picture_of_the_detector_shows_is_what_the_detector_sees():
    sim = hospital(1, site=SITE_A, seed=1)
    ecg = recording(sim.truth.row(0, named=True), site=SITE_A)
    ready = condition(ecg, ecg.leads)
    rate, envelope, likeness = script("draw_measuring").look_for_beats(ready.smooth, fs=ready.fs / STEP)
    times = find_beats(ready.smooth, fs=ready.fs / STEP)
    at = np.round(times * rate).astype(int)
    assert np.abs(likeness).max() <= 1.05  # its energy is a running mean
    assert likeness[at].min() > 0.8
    assert np.median(envelope[at]) > 5 * np.median(envelope)


def test_how_we_measure_quotes_the_constants_that_are_used():
    for said in (
        f"slower than {WANDER_HZ} Hz", f"at most {MOST_BEATS} of them", f"at least {1000 * WIDE_S:.0f} ms",
        f"windows of {PIECE_S:.0f} s that reach {OVERLAP_S:.0f} s further",
    ):  # fmt: skip
        assert said in " ".join(PAGE.split()), said
