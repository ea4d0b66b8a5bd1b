"""The built-in studies: laws that each of them keeps."""

import re

import polars as pl
import pytest

from twelvelead.cohort import Outcome
from twelvelead.cohort.codes import clean_code, shorten_code
from twelvelead.io.databases import DATABASES
from twelvelead.io.databases.uci_arrhythmia import SYSTEM as UCI
from twelvelead.io.databases.z_alizadeh_sani import DEFINES
from twelvelead.io.databases.z_alizadeh_sani import SYSTEM as Z_ALIZADEH
from twelvelead.simulate.published.findings import PUBLISHED_ORDER
from twelvelead.simulate.published.outcomes import describe_outcomes
from twelvelead.study import builtin_studies, declare, load_study
from twelvelead.study.examination import examine
from twelvelead.study.happened import rules_there
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.study.sample import ecg_predictors

MODES = ("sound", "paper")
NAMES = builtin_studies()
NESTED = tuple(name for name in NAMES if isinstance(load_study(name), NestedStudy))
PUBLISHED = tuple(name for name in NAMES if load_study(name).publication and name not in NESTED)
SIX = ("cxr_findings", "diagnoses", "laboratory_values", "liver", "neoplasms", "neuropsychiatric")
CENTRAL_5_PERCENT = set(SIX) - {"laboratory_values"}  # of that one nobody knows

MACHINE = (
    "recording_id", "rr_mean_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms",
    "jt_interval_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg", "qtc_bazett_ms", "qtc_fridericia_ms",
    "qtc_framingham_ms", "qtc_hodges_ms", "p_rr_ratio", "heart_rate_bpm", "pt_interval_ms", "qrs_rr_ratio",
    "qt_rr_ratio", "pr_qt_ratio", "qrs_t_angle_frontal_deg", "p_qrs_angle_frontal_deg", "p_t_angle_frontal_deg",
    "qrs_axis_cosine_ratio", "qrs_axis_sine_ratio", "t_axis_cosine_ratio", "t_axis_sine_ratio",
)  # fmt: skip


def targets(name):
    return [(mode, target) for mode in MODES for target in declare(name, mode=mode).targets]


def test_the_six_published_studies_are_there():
    assert set(SIX) <= set(PUBLISHED)
    assert {"type2_diabetes", "z_alizadeh_sani_diabetes"} == set(NESTED)
    assert {"uci_arrhythmia", "z_alizadeh_sani", "ptbxl", "simulated"} <= set(NAMES)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_every_study_loads_in_both_modes(name, mode):
    study = declare(name, mode=mode)
    assert (study.name, study.mode) == (name, mode)
    assert study.database.kind in {kind.name for kind in DATABASES}
    for use in filter(None, (study.database, study.external)):
        assert len(rules_there(study.targets, use)) == len(study.targets)
        for family in study.families:
            Outcome.model_validate({"name": "x", "title": "x", "codes": ["x"], **family.rule, **use.rule})


def test_titles_and_publications_differ():
    studies = [load_study(name) for name in NAMES]
    assert len({study.title for study in studies}) == len(studies)
    published = [study.publication for study in studies if study.publication]
    assert len(set(published)) == len(published) >= len(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_study_says_what_was_done_and_what_was_wrong(name):
    study = load_study(name)
    assert re.search(r" doi:10\.\d{4,}/\S+$", study.publication)
    assert study.paper
    assert len(study.faults) >= 6
    assert len({fault.name for fault in study.faults}) == len(study.faults)
    for fault in study.faults:
        assert "Sound" in fault.text, fault.name


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_paper_s_judgement_is_repeated_and_the_sound_one_is_not(name):
    sound, paper = (declare(name, mode=mode) for mode in MODES)
    assert (sound.validation.level, sound.validation.unit) == (0.95, "patient")
    assert (sound.validation.method, paper.validation.method) == ("studentised", "percentile")
    assert (paper.validation.level, paper.validation.unit) == (0.05 if name in CENTRAL_5_PERCENT else 0.95, "recording")
    assert (sound.eligibility.index, paper.eligibility.index) == ("first_per_stay", "all")
    assert sound.eligibility.min_age_years == 18
    assert (sound.model.preset, paper.model.preset != "sound") == ("sound", True)
    assert sound.codes.by_version
    assert (sound.stays, sound.split.published) == ("sound", None)
    assert (paper.split.method, paper.split.n_folds) == ("holdout", 20)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"cxr_findings"}))
def test_the_published_folds_are_the_papers(name):
    split = declare(name, mode="paper").split
    assert (split.published, split.held_out) == ("strat_fold", 19)


@pytest.mark.parametrize("name", ["diagnoses", "liver", "neoplasms", "neuropsychiatric"])
def test_the_papers_of_diagnoses_had_ten_predictors_and_looked_codes_up_without_version(name):
    paper = declare(name, mode="paper")
    assert len(ecg_predictors(paper.predictors, MACHINE)) + len(paper.predictors.demographics) == 10
    assert (paper.codes.by_version, paper.codes.kcd_characters, paper.stays) == (False, 5, "paper")
    assert paper.external.rule["window_h"] == [-90 * 24, 90 * 24]


def test_the_paper_of_x_rays_had_eighteen_measurements_and_three_more_predictors():
    sound, paper = (declare("cxr_findings", mode=mode) for mode in MODES)
    assert len(ecg_predictors(paper.predictors, MACHINE)) == 18
    assert len(paper.predictors.demographics) + len(paper.predictors.others) == 3
    assert (sound.predictors.others, paper.predictors.others) == ((), ("delay_h",))
    assert (sound.xrays.unit, paper.xrays.unit) == ("study", "image")
    assert paper.model.preset == "eliminated_stumps"
    assert {t.min_events for t in rules_there(paper.targets, paper.database)} == {111}


@pytest.mark.parametrize("mode", MODES)
def test_all_45_findings_are_asked_for(mode):
    asked = declare("cxr_findings", mode=mode).targets
    assert len(asked) == 45
    assert {finding for target in asked for finding in target.codes} >= set(PUBLISHED_ORDER)


@pytest.mark.parametrize("name", NAMES)
def test_codes_are_written_as_the_normaliser_gives_them(name):
    asked = [code for _, target in targets(name) if target.system == "icd10" for code in target.codes]
    table = pl.DataFrame({"code": asked}, schema={"code": pl.String})
    written = table.select(shorten_code(clean_code(pl.col("code")), characters=5, strip_x=True))["code"].to_list()
    assert written == asked
    for code in asked:
        assert re.fullmatch(r"[A-Z][0-9][0-9A-Z]{1,3}", code), code


@pytest.mark.parametrize("name", PUBLISHED)
def test_both_modes_ask_the_same_of_the_same_names(name):
    sound, paper = ({t.name: t for t in declare(name, mode=mode).targets} for mode in MODES)
    assert set(paper) <= set(sound)
    for target, rule in paper.items():
        mine = sound[target]
        assert (rule.codes, rule.sex, rule.link, rule.window_h) == (mine.codes, mine.sex, mine.link, mine.window_h)
    only_sound = set(sound) - set(paper)
    assert all(re.search(r"_new$|_(above|below)_[\d.]+$", target) for target in only_sound)


@pytest.mark.parametrize("name", NAMES)
def test_codes_of_one_sex_are_asked_of_that_sex(name):
    prostate, womb = ("C61", "N40"), ("D25", "N80")
    for mode, target in targets(name):
        if target.system != "icd10":
            continue
        sex = "male" if target.codes[0].startswith(prostate) else None
        sex = "female" if target.codes[0].startswith(womb) else sex
        assert target.sex == sex, (mode, target.name)


def test_laboratory_values_are_judged_by_their_own_range_and_in_the_paper_by_everybody_s():
    sound, paper = ({t.name: t for t in declare("laboratory_values", mode=mode).targets} for mode in MODES)
    for name, rule in paper.items():
        assert (rule.reference, rule.opposite) == ("median", "no")
        assert (sound[name].reference, sound[name].opposite) == ("row", "unknown")
        side, within = re.fullmatch(r".*_(low|high)(?:_(\d+)min)?", name).groups()
        assert rule.event == {"low": "below_reference", "high": "above_reference"}[side]
        hours = (-1, 1) if within is None else (0, int(within) / 60)
        assert (rule.window_h, rule.choose) == (hours, "nearest" if within is None else "any")
    fixed = set(sound) - set(paper)
    assert {sound[name].reference for name in fixed} == {"declared"}
    for name in fixed:
        side, limit = re.fullmatch(r".*_(above|below)_([\d.]+)", name).groups()
        lower, upper = sound[name].limits["all"]
        assert (upper if side == "above" else lower) == float(limit)
        assert sound[name].event == f"{side}_reference"


def test_new_diagnoses_exclude_known_ones():
    new = [t for name in SIX for t in load_study(name).targets if t.name.endswith("_new")]
    assert len(new) == 5
    for target in new:
        assert (target.washout_h, target.window_h) == (float("inf"), (0, 2160))
        assert target.codes == (target.name.removesuffix("_new"),)


def test_what_is_planted_in_the_simulated_layouts_is_asked_for_by_its_name():
    planted = describe_outcomes()
    asked = {target.name for name in SIX for target in load_study(name).targets}
    for kind in ("chest_xray", "laboratory"):
        assert set(planted.filter(kind=kind)["target"]) <= asked
    of_diagnoses = set(planted.filter(kind="diagnosis", planted=True)["target"])
    assert {"K70", "F03", "C34", "C61"} <= of_diagnoses & asked
    # Whatever else is planted, the family of all codes finds.
    assert len(load_study("diagnoses").families) == 1


def test_what_defines_an_outcome_predicts_it_not():
    study = load_study("z_alizadeh_sani")
    for target in study.targets:
        assert target.system in {Z_ALIZADEH, "laboratory"}
        for feature in DEFINES.get(target.codes[0], (f"za_{target.codes[0].lower()}",)):
            columns = ("recording_id", feature, "za_q_wave", "za_pulse_bpm")
            assert ecg_predictors(study.predictors, columns) == ["za_q_wave", "za_pulse_bpm"]


def test_arrhythmia_is_any_class_but_normal():
    (target,) = load_study("uci_arrhythmia").targets
    assert (target.system, target.codes, target.event) == (UCI, ("arrhythmia",), "value")


def test_doctor_lists_them():
    assert dict(examine(None))["studies"] == ", ".join(NAMES)
