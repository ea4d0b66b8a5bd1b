"""The audit's own test: it finds what was planted, and nothing where there is nothing."""

from dataclasses import replace

import polars as pl
import pytest

from twelvelead.privacy import ATTACKERS, Release, simulated_people
from twelvelead.privacy.audit import LOOK_UP, audit
from twelvelead.privacy.transforms_signal import keep_leads
from twelvelead.privacy.verdict import chance, conclude, is_found
from twelvelead.privacy.what_if import quick, what_ifs
from twelvelead.terms.audits import AUDITS
from twelvelead.validate import Bootstrap

DRAWS = Bootstrap(60, 0, 0.95)
SOME = tuple(ATTACKERS[key] for key in ("template", "lda_beats", "lda_features"))
KEPT = {"as_it_is", "median_beat", "laplace_10"}


def audited(release):
    tried = [w for w in quick(what_ifs(seed=0, n_people=24)) if w.key in KEPT]
    return audit(release, attackers=SOME, what_ifs=tried, bootstrap=DRAWS)


@pytest.fixture(scope="module")
def planted():
    return audited(keep_leads(("I", "V2"))(simulated_people(24, 2, seed=4, signature="qrs")))


@pytest.fixture(scope="module")
def nobody():
    return audited(keep_leads(("I", "V2"))(simulated_people(24, 2, seed=4)))


def test_every_table_keeps_its_contract(planted):
    assert set(planted.tables) == {contract.name for contract in AUDITS}
    for contract in AUDITS:
        assert contract.check(planted.tables[contract.name]).height > 0, contract.name


def test_what_was_planted_is_found(planted):
    verdict = conclude(planted, other_attackers={})
    assert verdict.found
    assert verdict.headline.startswith("Of 24 people who were recorded twice")
    assert any("at the price of findings: " in said and "Laplace" in said for said in verdict.lower)


def test_the_planted_segment_is_named(planted, nobody):
    def shares(audited):
        apart = pl.col("segment").is_in(["P", "PR", "QRS", "ST", "T", "TP"])
        table = audited.tables["segments"].filter(apart, figure="shapley")
        return dict(table.select("segment", "estimate").iter_rows())

    found = shares(planted)
    assert max(found, key=found.get) == "QRS"
    assert found["QRS"] > 2 * max(shares(nobody).values())


def test_no_risk_is_invented(nobody):
    assert is_found(nobody) is False
    verdict = conclude(nobody, other_attackers={})
    assert verdict.headline.startswith("No attacker picked people out better than chance")
    assert verdict.lower == ("There was no risk that could be lowered.",)
    rows = nobody.tables["attacks"].filter(protocol=LOOK_UP.key, figure="rank_1")
    assert rows.height == len(SOME)
    for row in rows.iter_rows(named=True):
        assert row["lower"] <= 1 / row["gallery"], row["attacker"]
    for row in nobody.tables["attacks"].filter(protocol=LOOK_UP.key, figure="eer").iter_rows(named=True):
        assert row["lower"] <= 0.5 <= row["upper"], row["attacker"]


def test_what_leaks_is_named_and_not_headlined(planted):
    verdict = conclude(planted, other_attackers={"cnn": "Convolutions"})
    assert any("Beats at random" in said and "Leaks" in said for said in verdict.not_to_quote)
    assert set(planted.tables["attacks"].filter(leaks=True)["protocol"]) == {"within_record", "within_record_blocked"}
    assert any("Convolutions (cnn)" in said for said in verdict.limits)
    assert any("24 people" in said for said in verdict.limits)


def test_people_are_those_who_were_looked_for(planted):
    subjects = planted.tables["subjects"]
    row = planted.tables["attacks"].filter(protocol=LOOK_UP.key, figure="rank_1", attacker=planted.strongest)
    assert subjects["rank_1"].mean() == pytest.approx(row["estimate"].item())
    assert subjects.height == row["n_people"].item()


def test_too_few_people_are_no_verdict():
    few = Release(keep_leads(("I",))(simulated_people(12, 2, seed=0)).samples[:13])
    found = audited(few)
    verdict = conclude(found, other_attackers={})
    assert verdict.found is None
    assert "Nothing can be said" in verdict.headline
    assert found.tables["what_ifs"].is_empty()


def test_chance_is_binomial():
    assert chance(1.0, n=3, gallery=4) == pytest.approx(1 / 64)
    assert chance(0.0, n=30, gallery=30) == 1.0
    assert chance(1 / 3 + 0.1, n=3, gallery=2) == pytest.approx(7 / 8)


def test_devices_and_days_are_said(planted):
    facts = planted.facts
    assert len(facts.devices) == 1
    said = conclude(planted, other_attackers={}).limits
    assert any("one device" in limit for limit in said)
    assert any("not known how many days" in limit for limit in said)
    known = replace(planted, facts=replace(facts, devices=("a", "b"), days_apart=(0.0, 0)))
    said = conclude(known, other_attackers={}).limits
    assert any("2 devices" in limit for limit in said)
    assert any("same day" in limit for limit in said)
