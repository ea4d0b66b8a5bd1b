"""Laws over every pack: names exist, sources are papers, nothing refers to what comes later."""

import re

import pytest

from twelvelead.interpret import packs
from twelvelead.interpret.case import in_lead
from twelvelead.interpret.criteria import All, AtLeast, Criterion, Has, InLeads, Is, Not, Share
from twelvelead.interpret.derived import DERIVED
from twelvelead.interpret.packs import erb
from twelvelead.measure import CATALOGUE
from twelvelead.terms import LEADS

PACKS = {erb.PACK.key: erb.PACK} | dict(getattr(packs, "PACKS", {}))
FINDINGS = [pytest.param(pack, f, id=f"{pack.key}-{f.key}") for pack in PACKS.values() for f in pack.findings]
NAMES = {m.name for m in CATALOGUE} | {m.name for m in DERIVED}
DOI = re.compile(r"doi:10\.\d{4,9}/\S+( doi:10\.\d{4,9}/\S+)*")


def walk(test, lead=None):
    """Go through a test and all that is in it, with the lead around it."""
    yield test, lead
    match test:
        case All(parts) | AtLeast(_, parts):
            for part in parts:
                yield from walk(part, lead)
        case Not(part):
            yield from walk(part, lead)
        case InLeads():
            for each in test.leads:
                yield from walk(test.test, each)
        case Criterion():
            yield from walk(test.test, lead)


def names(test, lead):
    """Give the measurements that one comparison reads."""
    if isinstance(test, Is):
        found = [test.name, *([test.limit.name] if isinstance(test.limit, Share) else [])]
        yield from (in_lead(name, lead) if lead is not None else name for name in found)


@pytest.mark.parametrize(("pack", "finding"), FINDINGS)
def test_every_name_is_measured(pack, finding):
    for test, lead in walk(finding.test):
        assert {*names(test, lead)} <= NAMES, pack.key


@pytest.mark.parametrize(("pack", "finding"), FINDINGS)
def test_every_criterion_has_a_source(pack, finding):
    for source in (pack.source, finding.source, *(t.source for t, _ in walk(finding.test) if isinstance(t, Criterion))):
        assert DOI.fullmatch(source), source


@pytest.mark.parametrize(("pack", "finding"), FINDINGS)
def test_leads_are_leads_and_enough(pack, finding):
    for test, _ in walk(finding.test):
        if isinstance(test, InLeads):
            assert set(test.leads) <= set(LEADS), pack.key
            assert 1 <= test.at_least <= len(test.leads)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_findings_stand_after_those_they_refer_to(pack):
    before = set()
    for finding in pack.findings:
        referred = {t.finding for t, _ in walk(finding.test) if isinstance(t, Has)} | set(finding.unless)
        assert referred <= before, finding.key
        assert finding.key not in before
        before.add(finding.key)


def test_derived_numbers_are_declared_once_and_sourced():
    assert len({m.name for m in DERIVED}) == len(DERIVED)
    assert not {m.name for m in DERIVED} & {m.name for m in CATALOGUE}
    for derived in DERIVED:
        assert DOI.fullmatch(derived.source), derived.name
        assert derived.definition.endswith("."), derived.name
        assert derived.unit, derived.name
