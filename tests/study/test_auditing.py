"""An audit from files to a folder, as the command does it."""

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from twelvelead.app.cli import main
from twelvelead.io import find_recordings
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.privacy import simulated_people
from twelvelead.privacy.transforms_signal import keep_leads
from twelvelead.report.audit_drawing import draw_cmc, draw_frontier, draw_gallery
from twelvelead.study.audited_people import Person, gather, known_people, match, read_subjects
from twelvelead.study.auditing import Choices, choose_attackers
from twelvelead.study.simulated import simulate_hospitals
from twelvelead.terms import InputError
from twelvelead.terms.audits import AUDIT_GALLERY, AUDITS, WHAT_IFS

DATA = Path(__file__).parents[3] / "shared" / "data"
ECG_ID, PTBXL = DATA / "ecg-id", DATA / "ptbxl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write recordings of 12 people, each in a folder of their own."""
    top = tmp_path_factory.mktemp("release")
    for k, sample in enumerate(keep_leads(("I", "V2"))(simulated_people(12, 2, seed=0, signature="qrs")).samples):
        (top / sample.subject_id).mkdir(exist_ok=True)
        write_wfdb(sample.recording, top / sample.subject_id / f"rec_{k % 2 + 1}.hea")
    return top


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("audit")
    status = main(["audit", str(folder), "--out", str(out), "--quick", "--attackers", "template", "--resamples", "50"])
    return status, out


def test_everything_is_written(done):
    status, out = done
    assert status == 0
    names = {path.name for path in out.iterdir()}
    assert names == {f"{c.name}.csv" for c in AUDITS} | {"failures.csv", "audit.json", "report.html"}
    record = json.loads((out / "audit.json").read_text())
    assert record["facts"]["n_people"] == 12
    assert record["verdict"]["headline"].startswith("Of 12 people")
    assert len(record["tables"]["subjects"]) == 12
    assert "folder" in record["people_known_from"]


def parse(drawing):
    return ElementTree.fromstring(drawing)  # noqa: S314 - our own drawing


class Page(HTMLParser):
    """Collects what a page links to, names and opens."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.tags = [], set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.ids.add(value)


def test_the_page_stands_alone_and_states_its_limits(done):
    html = (done[1] / "report.html").read_text()
    page = Page()
    page.feed(html)
    assert "script" not in page.tags
    assert not [link for link in page.links if not link.startswith(("#", "data:"))]
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        parse(svg)
    for words in ("could be picked out", "(leaks)", "Not tried:", "The risk is at least what is said"):
        assert words in html, words
    assert html.index("Not to be quoted as a risk") < html.index("Every attack")


def test_the_same_seed_gives_the_same_bytes(folder, done, tmp_path):
    arguments = ["--quick", "--attackers", "template", "--resamples", "50"]
    assert main(["audit", str(folder), "--out", str(tmp_path), *arguments]) == 0
    for path in done[1].iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_table_of_people_is_believed_and_who_is_not_in_it_is_listed(folder, tmp_path):
    table = pl.DataFrame(
        {
            "patient_id": ["a", "a", "b"],
            "recording_id": ["simulated-000/rec_1", "simulated-000/rec_2", "simulated-001/rec_1"],
            "recorded_at": ["2020-01-31", "2020-02-01 10:15", None],
            "age_years": [50.0, 50.1, None],
            "sex": ["F", "female", ""],
            "device": ["  one   two ", None, ""],
        }
    )
    table.write_csv(tmp_path / "people.csv")
    known = known_people([folder], tmp_path / "people.csv")
    assert known.people["simulated-000/rec_1"] == Person("a", datetime(2020, 1, 31), 50.0, "female", "one two")
    assert known.people["simulated-001/rec_1"] == Person("b")
    gathered = gather(find_recordings([folder]), known)
    assert gathered.release.subject_ids == ("a", "b")
    assert [s.day for s in gathered.release.samples][:2] == [datetime(2020, 1, 31).date(), datetime(2020, 2, 1).date()]
    assert gathered.failures.height == 21
    assert gathered.failures["message"].str.contains("whose a recording is").all()


def test_recordings_are_found_by_path_and_by_their_last_part(tmp_path):
    (tmp_path / "people.csv").write_text("patient_id,path\na,x/one.dat\nb,y/two.dat\n")
    people = read_subjects(tmp_path / "people.csv")
    assert set(people) == {"x/one", "y/two"}
    assert match(["top/x/one", "two"], people) == {"top/x/one": "x/one", "two": "y/two"}
    assert match(["z/one", "a/y/two", "b/y/two"], people) == {}
    assert match(["two"], ["x/two", "y/two"]) == {}
    assert match(["two", "x/two"], ["x/two", "y/two"]) == {"x/two": "x/two"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("person,recording_id\na,r\n", "patient_id"),
        ("patient_id,recording_id\na,r\nb,r\n", "twice"),
        ("patient_id,recording_id,sex\na,r,x\n", "female or male"),
        ("patient_id,recording_id,age_years\na,r,old\n", "number"),
        ("patient_id,recording_id,recorded_at\na,r,31.01.2020\n", "2020-01-31"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, said):
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_subjects(tmp_path / "people.csv")


def test_a_simulated_database_brings_its_own_people_and_says_so(tmp_path):
    simulate_hospitals(tmp_path, n_patients=6, seed=1)
    known = known_people([tmp_path / "hospital_a"], None)
    assert known.simulated
    gathered = gather(find_recordings([tmp_path / "hospital_a"]), known)
    assert gathered.failures.is_empty()
    assert len(gathered.release.samples) == len(known.people)
    assert set(gathered.release.subject_ids) == {person.patient_id for person in known.people.values()}


def test_an_attacker_must_be_known(folder, tmp_path, capsys):
    assert all(attacker.extra is None for attacker in choose_attackers(()))
    assert [attacker.extra for attacker in choose_attackers(("cnn", "transecg"))] == ["torch", "torch"]
    assert [attacker.key for attacker in choose_attackers(("template",))] == ["template"]
    assert main(["audit", str(folder), "--out", str(tmp_path), "--attackers", "nobody"]) == 3
    assert "nobody" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert Choices(quick=True).bootstrap.n_resamples == 200


def test_nobody_known_is_an_error(folder, tmp_path):
    (tmp_path / "people.csv").write_text("patient_id,recording_id\na,elsewhere\n")
    known = known_people([folder], tmp_path / "people.csv")
    with pytest.raises(InputError, match="--subjects"):
        gather(find_recordings([folder]), known)


@pytest.mark.skipif(not ECG_ID.is_dir(), reason="../shared/data/ecg-id is absent")
@pytest.mark.filterwarnings("ignore:samples of ECG I")
def test_ecg_id_needs_no_table():
    known = known_people([ECG_ID], None)
    found = [f for f in find_recordings([ECG_ID]) if f.recording_id.startswith("Person_01/")]
    gathered = gather(found, known)
    samples = gathered.release.samples
    assert [s.recording.id.split("_")[-1] for s in samples] == [str(k + 1) for k in range(len(samples))]
    assert {(s.subject_id, s.sex, s.age_years) for s in samples} == {("Person_01", "male", 25.0)}
    assert samples[0].day == datetime(2004, 12, 7).date()
    assert samples[0].recording.leads == ("I",)


@pytest.mark.skipif(not PTBXL.is_dir(), reason="../shared/data/ptbxl is absent")
def test_ptbxl_needs_no_table():
    known = known_people([PTBXL], None)
    found = find_recordings([PTBXL])[:3]
    gathered = gather(found, known)
    first = gathered.release.samples[0]
    assert (first.subject_id, first.sex, first.age_years, first.device) == ("15709", "female", 56.0, "CS-12 E")
    assert first.recorded_at == datetime(1984, 11, 9, 9, 17, 34)
    assert len(first.recording.leads) == 12


def row(key, risk, kept, *, gives="signals", pareto=False):
    limits = {f"{name}_{end}": None for name in ("risk", "refitted", "unprepared", "change", "kept")
              for end in ("lower", "upper")}  # fmt: skip
    return {
        "what_if": key, "title": key, "gives": gives, "parameters": "{}", "attacker": "template", "fitted": "refitted",
        "risk": risk, "refitted": risk, "unprepared": risk, "change": None, "kept": kept, "n_people": 10,
        "gallery": 10, "pareto": pareto, "why_not": None,
    } | limits  # fmt: skip


def test_the_frontier_is_a_staircase_and_points_stand_where_they_belong():
    table = WHAT_IFS.select(
        [row("a", 1.0, 1.0, pareto=True), row("b", 0.0, 0.0, gives="numbers", pareto=True), row("c", None, 0.5)]
    )
    drawing = draw_frontier(table, numbers={"a": 1, "b": 2, "c": 3})
    root = parse(drawing)
    name = "{http://www.w3.org/2000/svg}"
    circles = root.findall(f"{name}circle")
    assert len(circles) == 2  # the point and its legend
    green = [p for p in root.findall(f"{name}path") if p.get("stroke") == "#007A59"]
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", green[0].get("d"))
    assert len(points) == 3
    assert points[0][1] == points[1][1]  # along before up
    assert points[1][0] == points[2][0]
    assert circles[0].get("cx") == points[2][0]
    assert {"1", "2"} <= {t.text for t in root.findall(f"{name}text")}


def test_what_is_extrapolated_is_dashed():
    gallery = AUDIT_GALLERY.select(
        [
            {"gallery": n, "share": s, "extrapolated": far}
            for n, s, far in ((2, 1.0, False), (9, 0.9, False), (90, 0.8, True))
        ]
    )
    root = parse(draw_gallery(gallery))
    assert len([p for p in root.iter() if p.get("stroke-dasharray") == "4 4"]) == 1
    assert "(extrapolated)" in root.find("{http://www.w3.org/2000/svg}desc").text
    parse(draw_cmc(pl.DataFrame({"rank": [1, 2], "share": [0.5, 1.0]})))
