"""What every pack must keep, and how packs are combined."""

import re

import pytest
from tests.interpret.plain_case import case, verdict

from twelvelead.interpret.criteria import Criterion, Finding, Has, InLeads, Is, Pack, Share
from twelvelead.interpret.derived import DERIVED
from twelvelead.interpret.packs import AHA_ACCF_HRS_2009, DEFAULT, PACKS, UDMI4_PACK, combine
from twelvelead.interpret.packs.left_out import LEFT_OUT, READINGS
from twelvelead.measure import CATALOGUE
from twelvelead.terms import InputError

NAMES = {m.name for m in (*CATALOGUE, *DERIVED)}
GROUPS = {
    "rhythm", "conduction", "axis", "chambers", "ischaemia", "infarction", "repolarisation", "QT", "ectopy", "pacing",
    "voltage", "leads",
}  # fmt: skip
DOI = re.compile(r"doi:10\.\d{4,}/\S+")
PUBLISHED = pytest.mark.parametrize("pack", [AHA_ACCF_HRS_2009, UDMI4_PACK, DEFAULT], ids=lambda pack: pack.key)


def parts_of(test):
    """The test and all below it."""
    yield test
    below = getattr(test, "parts", ()) or [getattr(test, name) for name in ("part", "test") if hasattr(test, name)]
    for part in below:
        yield from parts_of(part)


def names_in(test, leads=("",)):
    """The measurements that a test compares, in the leads around it."""
    match test:
        case Is():
            of = (test.name, test.limit.name) if isinstance(test.limit, Share) else (test.name,)
            return {name.replace("{lead}", lead.lower()) for name in of for lead in leads}
        case InLeads():
            return names_in(test.test, test.leads)
    below = getattr(test, "parts", ()) or [getattr(test, name) for name in ("part", "test") if hasattr(test, name)]
    return {name for part in below for name in names_in(part, leads)}


@PUBLISHED
def test_every_name_is_measured(pack):
    for finding in pack.findings:
        assert names_in(finding.test) <= NAMES, finding.key


@PUBLISHED
def test_every_comparison_stands_in_a_criterion_with_a_source(pack):
    for finding in pack.findings:
        assert DOI.fullmatch(finding.source)
        criteria = [part for part in parts_of(finding.test) if isinstance(part, Criterion)]
        within = {name for criterion in criteria for name in names_in(criterion)}
        assert within == names_in(finding.test), finding.key
        for criterion in criteria:
            assert DOI.fullmatch(criterion.source), (finding.key, criterion.key)
        keys = [criterion.key for criterion in criteria]
        assert len(keys) == len(set(keys)), (finding.key, keys)


@PUBLISHED
def test_a_finding_stands_after_those_it_refers_to(pack):
    before = set()
    for finding in pack.findings:
        named = {part.finding for part in parts_of(finding.test) if isinstance(part, Has)} | set(finding.unless)
        assert named <= before, (finding.key, named - before)
        assert finding.key not in before
        before.add(finding.key)
        assert finding.group in GROUPS


def test_packs_stand_under_their_keys():
    assert {"aha_accf_hrs_2009", "udmi4"} <= set(PACKS)
    assert all(pack.key == key for key, pack in PACKS.items())


def test_a_shared_finding_counts_once():
    keys = [finding.key for finding in DEFAULT.findings]
    assert len(keys) == len(set(keys))
    assert set(keys) == {f.key for pack in (AHA_ACCF_HRS_2009, UDMI4_PACK) for f in pack.findings}


def test_combined_packs_say_what_each_says_alone():
    of = case(qrs_duration_ms=125, q_duration_v2_ms=30, q_amplitude_v2_mv=-0.5, st_j_amplitude_v5_mv=0.3)
    for pack in (AHA_ACCF_HRS_2009, UDMI4_PACK):
        for finding in pack.findings:
            assert verdict(finding.key, pack, of) == verdict(finding.key, DEFAULT, of), finding.key


def test_packs_that_disagree_are_refused():
    finding = Finding("pause", "Pause", "rhythm", Is("rr_max_ms", ">", 2000), "doi:10.1000/1")
    with pytest.raises(InputError, match="must agree on a finding; got two different 'pause'"):
        combine(AHA_ACCF_HRS_2009, Pack("mine", "Mine", "doi:10.1000/1", (finding,)))
    with pytest.raises(InputError, match="at least one pack"):
        combine()


def test_notes_have_sources():
    for note in (*LEFT_OUT, *READINGS):
        assert DOI.fullmatch(note.source), note
        assert note.why
