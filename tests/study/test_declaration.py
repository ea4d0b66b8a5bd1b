import pytest

from twelvelead.measure import CATALOGUE
from twelvelead.study import builtin_studies, declare, load_study, parse_study
from twelvelead.study.sample import ecg_predictors
from twelvelead.study.studies import parse_json
from twelvelead.terms import StudyError

from .conftest import DECLARATION

MEASURED = [m.name for m in CATALOGUE]


@pytest.mark.parametrize("name", builtin_studies())
def test_every_built_in_study_is_a_declaration(name):
    study = load_study(name)
    assert study.name == name
    assert parse_json(study.model_dump_json(), name=name) == study
    if study.predictors.source == "waveforms":
        assert len(ecg_predictors(study.predictors, MEASURED)) > 100


@pytest.mark.parametrize("name", ["ptbxl", "simulated"])
def test_the_paper_mode_says_what_it_does(name):
    paper = declare(name, mode="paper", seed=7)
    assert paper.mode == "paper"
    assert paper.seed == 7
    assert (paper.validation.level, paper.validation.unit) == (0.05, "recording")
    assert 8 <= len(ecg_predictors(paper.predictors, MEASURED)) <= 21


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed = 3", "seed = -1"), "seed: Input should be greater than or equal to 0"),
        (("seed = 3", "sead = 3"), "2 fault"),
        (("n_folds = 3", "n_folds = 1"), "split.n_folds"),
        (('name = "nothing"', 'name = "heart_failure"'), "targets must have different names"),
        (('method = "cross_fit"', 'method = "rows"'), "split.method"),
        (("n_resamples = 100", "n_resamples = 1"), "validation.n_resamples"),
        (("[split]", "[split"), "must be TOML"),
    ],
)
def test_a_fault_is_named_with_its_place(change, message):
    with pytest.raises(StudyError, match=message):
        parse_study(DECLARATION.replace(*change), name="small")


def test_a_study_is_found_by_name_or_path(tmp_path):
    (tmp_path / "mine.toml").write_text(DECLARATION)
    assert load_study(str(tmp_path / "mine.toml")).name == "small"
    with pytest.raises(StudyError, match=r"a built-in one .*ptbxl.*got 'nobody'"):
        load_study("nobody")


def test_patterns_that_leave_nothing_are_refused(small):
    changed = small.predictors.model_copy(update={"include": ("nothing_*",)})
    with pytest.raises(StudyError, match="must include a measurement"):
        ecg_predictors(changed, MEASURED)
    names = ecg_predictors(small.predictors, MEASURED)
    assert "pr_interval_ms" in names
    assert "t_duration_ms" not in names
