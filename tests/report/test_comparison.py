"""The page that puts a published method beside the sound one."""

import re
from html.parser import HTMLParser

import polars as pl
import pytest

from twelvelead.report import comparison_report
from twelvelead.terms import COMPARISON, RESEARCH_ONLY, ContractError

ROW = {
    "target": "K70", "set": "internal",
    "sound_estimate": 0.8025, "sound_lower": 0.75, "sound_upper": 0.86, "sound_n": 1200, "sound_n_patients": 1000,
    "sound_n_events": 45,
    "paper_estimate": 0.8125, "paper_lower": 0.81, "paper_upper": 0.8135, "paper_n": 4000, "paper_n_patients": 1100,
    "paper_n_events": 150, "width_ratio": 31.4,
}  # fmt: skip
ONE_MODE = {
    **dict.fromkeys(COMPARISON.schema), "target": "K70_new", "set": "external", "sound_estimate": 0.7,
    "sound_lower": None, "sound_upper": None, "sound_n": 30, "sound_n_patients": 30, "sound_n_events": 1,
}  # fmt: skip


def page(*rows, **changes):
    said = {
        "title": "Liver", "publication": "Somebody. doi:10.1/2", "faults": [("one fold", "It serves all.")],
        "simulated": False, **changes,
    }  # fmt: skip
    return comparison_report(comparison=COMPARISON.select(list(rows) or [ROW]), **said)


class Cells(HTMLParser):
    """Read the table's body, and every tag that there is."""

    def __init__(self):
        super().__init__()
        self.rows, self.tags, self._open = [], [], False

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        self._open = tag in {"td", "th"}

    def handle_data(self, data):
        if self._open and self.rows:
            self.rows[-1].append(data)

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._open = False


def read(html):
    parser = Cells()
    parser.feed(html)
    return parser


def test_a_row_by_hand():
    rows = read(page(ROW, ONE_MODE)).rows
    assert rows[1] == [
        "K70", "held-out (internal)", "0.802 (0.750 to 0.860)", "45 of 1200 in 1000 patients",
        "0.812 (0.8100 to 0.8135)", "150 of 4000 in 1100 patients", "31",
    ]  # fmt: skip
    assert rows[2] == ["K70_new", "external", "0.700", "1 of 30 in 30 patients", "–", "not modelled", "–"]
    assert len(rows) == 3


def test_the_ratio_in_the_median_is_said_where_there_is_one():
    ratios = [{**ROW, "target": f"T{n}", "width_ratio": ratio} for n, ratio in enumerate((10.0, 30.0, 31.0, None))]
    assert "The sound interval is 30 times as wide in the median." in page(*ratios)
    assert "in the median" not in page(ONE_MODE)


def test_every_fault_is_named_with_what_it_does():
    html = page(faults=[("one fold", "It serves all."), ("every ECG counts", "Often.")])
    assert "<dt><strong>one fold</strong></dt><dd>It serves all.</dd>" in html
    assert "<dt><strong>every ECG counts</strong></dt><dd>Often.</dd>" in html
    assert "What is wrong with the published method" not in page(faults=[])


@pytest.mark.parametrize("place", ["title", "publication", "fault", "text", "target", "set"])
def test_markup_is_escaped_wherever_text_comes_from(place):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>&'
    changes, row = {}, ROW
    if place in {"title", "publication"}:
        changes = {place: evil}
    elif place in {"fault", "text"}:
        changes = {"faults": [(evil, "x")] if place == "fault" else [("x", evil)]}
    else:
        row = {**ROW, place: evil}
    html = page(row, **changes)
    tags = read(html).tags
    assert not {"script", "img", "iframe"} & {tag for tag, _ in tags}
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert "&lt;script&gt;" in html


def test_simulated_patients_are_said_to_be_so_twice():
    html = page(simulated=True)
    assert "SIMULATED DATA. No patient in this report exists" in html
    assert re.search(r"<title>[^<]*\(SIMULATED DATA\)</title>", html)
    assert "SIMULATED" not in page()


def test_the_page_says_what_it_is_not_and_needs_nothing_from_outside():
    html = page()
    assert RESEARCH_ONLY in html
    tags = read(html).tags
    links = [attributes["href"] for _, attributes in tags if "href" in attributes]
    assert links == ["data:,", "sound/report.html", "paper/report.html"]
    assert not any("src" in attributes for _, attributes in tags)
    assert "default-src 'none'" in html
    assert "{{" not in html
    assert "{%" not in html


def test_a_study_of_nobodys_names_no_publication():
    assert "Published as: Somebody. doi:10.1/2" in page()
    assert "Published as" not in page(publication="")


def test_a_table_that_is_no_comparison_is_refused():
    with pytest.raises(ContractError, match="comparison"):
        comparison_report(
            title="", publication="", faults=[], comparison=pl.DataFrame({"target": ["a"]}), simulated=False
        )


def test_an_empty_comparison_is_a_page_too():
    html = comparison_report(title="x", publication="", faults=[], comparison=COMPARISON.empty(), simulated=False)
    assert len(read(html).rows) == 1
