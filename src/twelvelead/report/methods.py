"""The methods section, written from what the study declared and counted: one sentence per fact."""

from collections.abc import Mapping, Sequence
from typing import Any

from twelvelead.report.outcome_words import describe_outcome
from twelvelead.report.predictor_words import describe_predictors
from twelvelead.report.wording import join_words, write_level, write_number

Section = tuple[str, list[str]]

_DESCRIBED = 60  # targets in full; a thousand sentences would be read by nobody

_INDEX = {
    "all": "Every eligible ECG of a patient counts.",
    "first_per_patient": "The index ECG is the earliest eligible one of each patient.",
    "first_per_stay": "The index ECG is the earliest eligible one of each hospital or emergency stay.",
}
_HYPERPARAMETERS = {
    "trees_per_round": "trees per round",
    "max_depth": "depth",
    "learning_rate": "learning rate",
    "rounds": "most rounds",
    "early_stopping": "rounds without a better log loss before stopping",
    "subsample": "share of rows per tree",
    "colsample": "share of predictors per tree",
    "min_child_weight": "least child weight",
    "reg_lambda": "L2 penalty",
    "elimination_rounds": "rounds of the elimination",
    "elimination_learning_rate": "its learning rate",
    "elimination_max_depth": "its depth",
}
_CALIBRATION = {
    "logistic": "a logistic regression of the outcome on the log-odds",
    "isotonic": "an isotonic regression of the outcome on the log-odds",
}


def describe_methods(
    declaration: Mapping[str, Any],
    *,
    n_predictors: int,
    versions: Mapping[str, str],
    n_embedded: int = 0,
    simulated: bool = False,
    hyperparameters: Mapping[str, Any] | None = None,
) -> list[Section]:
    """Write the methods section of a study.

    Parameters
    ----------
    declaration : mapping
        The declared study, as `model_dump()` gives it.
    n_predictors : int
        Measurements of the ECG that were offered to the models.
    versions : mapping of software to version
        What the study ran on.
    n_embedded : int
        Numbers of an embedding that were offered.
    simulated : bool
        Whether the patients are simulated.
    hyperparameters : mapping, optional
        `get_params()` of the unfitted model.

    Returns
    -------
    list of (heading, sentences)
        In the order of the report.

    Examples
    --------
    >>> from_text = describe_bootstrap({"n_resamples": 200, "level": 0.9, "unit": "patient", "thresholds": [0.1]})
    >>> from_text[0]
    'Intervals are 90 % intervals from 200 bootstrap resamples of patients with all their recordings.'
    """
    sections = [
        ("Source of data", _describe_source(declaration, simulated=simulated)),
        ("Participants", describe_eligibility(declaration["eligibility"])),
        ("Outcomes", describe_outcomes(declaration)),
        ("Predictors", describe_predictors(
            declaration["predictors"], n_predictors=n_predictors, n_embedded=n_embedded,
        )),
        ("Split", [describe_split(declaration["split"])]),
        ("Model", describe_model(declaration, hyperparameters or {})),
        ("Baselines", [
            "Each target was also predicted from age and sex alone and from the ECG alone, on the same recordings.",
            "The model of the ECG is made in the same way as the full one. That of age and sex is "
            + (
                "a logistic regression on a restricted cubic spline of age, whose slope may differ by sex."
                if declaration["model"].get("preset", "sound") == "sound"
                else "made so, too."
            ),
            "ΔAUROC is a model's AUROC minus that of age and sex, paired: both are taken from the same resamples.",
        ]),
        ("Validation", _describe_validation(declaration)),
        ("Explanation", [
            "SHAP values are exact Shapley values of the tree ensemble with path-dependent expectations, on the "
            "log-odds scale before calibration, for recordings that the model had not seen.",
            "They say what the model answers to, not what causes the outcome. Correlated measurements share a part; "
            "summed within a concept (rate, atria, conduction, repolarisation, …) that does not matter.",
            *(["Those of an embedding's numbers are added up and shown as one predictor."] if n_embedded else []),
            "Ranks are by mean |SHAP|; their limits come from resamples of patients, with the models held fixed.",
        ]),
        ("Software", [_describe_software(declaration, versions)]),
    ]  # fmt: skip
    if declaration["mode"] == "paper":
        sections.append(("Faults of the published method, repeated on purpose", name_faults(declaration)))
    return sections


def describe_eligibility(eligibility: Mapping[str, Any]) -> list[str]:
    """Say who could enter the study, and by which ECG."""
    low, high = eligibility["min_age_years"], eligibility["max_age_years"]
    limits = [f"at least {low:g}"] if low is not None else []
    limits += [f"at most {high:g}"] if high is not None else []
    age = (
        f"Patients had to be {join_words(limits)} years old at the time of the ECG; those of unknown age were excluded."
    )
    return [age if limits else "There was no age limit.", _INDEX[eligibility["index"]]]


def describe_outcomes(declaration: Mapping[str, Any]) -> list[str]:
    """Say what was predicted, and how codes and X-rays came to belong to an ECG; of very many targets some."""
    targets = declaration["targets"]
    sentences = [describe_outcome(target) for target in targets[:_DESCRIBED]]
    if len(targets) > _DESCRIBED:
        sentences.append(f"{len(targets) - _DESCRIBED} further targets differ in their code; study.json lists them.")
    codes, xrays = declaration.get("codes"), declaration.get("xrays")
    if codes and any(target["system"] == "icd10" for target in targets):
        keyed = "together with its version" if codes["by_version"] else "without regard to its version"
        sentences.append(
            f"Diagnoses of ICD-9 became ICD-10 by the General Equivalence Mappings, each code looked up {keyed}; "
            f"{codes['characters']} characters were kept, {codes['kcd_characters']} of Korean codes."
        )
    if xrays:
        unit = {"study": "X-ray study, each ECG once", "image": "X-ray image"}[xrays["unit"]]
        sentences.append(f"A row is one {unit}, with the patient's last ECG in the {xrays['within_h']:g} h before it.")
    return [*sentences, describe_minimum(targets)]


def describe_minimum(targets: Sequence[Mapping[str, Any]]) -> str:
    """Say how many recordings a target needed to be modelled.

    Examples
    --------
    >>> describe_minimum([{"name": "MI", "min_events": 20}, {"name": "CD", "min_events": 20}])
    'A target was modelled only with at least 20 recordings with and 20 without the outcome (MI and CD).'
    """
    by_number: dict[int, list[str]] = {}
    for target in targets:
        by_number.setdefault(target["min_events"], []).append(target["name"])
    groups = []
    for n, names in by_number.items():
        which = join_words(names) if len(names) <= _DESCRIBED else f"{len(names)} targets"
        groups.append(f"{n} recordings with and {n} without the outcome ({which})")
    return f"A target was modelled only with at least {join_words(groups)}."


def describe_split(split: Mapping[str, Any]) -> str:
    """Say how held-out patients were kept apart."""
    bands = join_words([f"{b:g}" for b in split["age_bands_years"]])
    balance = (
        f"balanced by outcomes, sex and age band (limits {bands} years)" if bands else "balanced by outcomes and sex"
    )
    if split.get("published"):
        balance += f", unless the database has folds of its own ({split['published']}, {split['held_out']} held out)"
    dealt = f"Patients were dealt into {split['n_folds']} folds with all their recordings, {balance}"
    if split["method"] == "cross_fit":
        return f"{dealt}; each fold was held out once, and predicted by models that saw no recording of its patients."
    return f"{dealt}; one fold was held out, and no model saw it before validation."


def describe_model(declaration: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> list[str]:
    """Say how predictors were selected, trees grown and risks calibrated."""
    model = declaration["model"]
    if model.get("preset") == "xgboost_defaults":
        return [
            "Gradient-boosted trees (XGBoost) at their defaults, up to 100 of depth 6 with a learning rate of 0.3, "
            "took all predictors, and stopped after 10 rounds without a better log loss on one fold.",
            "Their risks were not calibrated.",
        ]
    if model.get("preset") == "eliminated_stumps":
        return [
            "Predictors were eliminated one at a time by the gain of a default gradient-boosted model (100 trees of "
            f"depth 6); the number with the highest AUROC on the tuning fold was kept, at least {model['smallest']}.",
            "The final model grew up to 1000 trees of depth 1, stopped early on the same fold.",
            "Risks were calibrated by isotonic regression on the same fold again.",
        ]
    step = model["elimination"]
    dropped = "one predictor" if step >= 1 else f"{100 * step:g} % of the predictors left"
    parts = "its own training, tuning and calibration patients"
    members = "The model has one member, with" if model["n_members"] == 1 else (
        f"The model is the mean log-odds of {model['n_members']} members, each with"
    )  # fmt: skip
    sentences = [
        f"{members} {parts}; within a member no patient is in two of these parts.",
        f"Predictors were selected per target in one nested recursive elimination: {dropped} with the least gain "
        f"dropped at each step, down to {model['smallest']}; the step with the highest AUROC on the tuning "
        "patients was kept, the smaller one of two equal.",
        "Gradient-boosted trees (XGBoost) were grown on the training patients and stopped early on the tuning "
        "patients. The AUROC on the tuning patients is therefore optimistic, and is not reported as performance.",
        describe_growth(hyperparameters),
        f"Log-odds became risks by {_CALIBRATION[model['calibration']]}, fitted on patients that neither selection nor "
        "early stopping had seen.",
    ]
    if model["n_members"] > 1:
        sentences.append(
            "It was fitted on the log-odds of single members and is applied to their mean, which varies less: risks "
            "err towards the mean risk."
        )
    return sentences


def describe_growth(chosen: Mapping[str, Any]) -> str:
    """State the hyper-parameters of the trees.

    Examples
    --------
    >>> describe_growth({})
    'Their hyper-parameters stand in the card of each model.'
    >>> describe_growth({"max_depth": 3, "learning_rate": 0.05})
    'Hyper-parameters of the trees: depth 3, learning rate 0.05.'
    """
    named = [f"{words} {chosen[key]:g}" for key, words in _HYPERPARAMETERS.items() if key in chosen]
    if not named:
        return "Their hyper-parameters stand in the card of each model."
    return f"Hyper-parameters of the trees: {', '.join(named)}."


_METHODS = {
    "percentile": ["They are percentile intervals, which are too narrow where few have the event."],
    "studentised": [
        "Those of AUROC (on the scale of log-odds) and of its gain over age and sex are studentised with a standard "
        "error that is robust to several recordings per patient; for sensitivity, specificity and predictive values "
        "they are Wilson's, with the design effect; for other figures percentile intervals.",
        "DeLong's interval, robust in the same way, stands beside them in the table of performance.",
    ],
}


def describe_bootstrap(validation: Mapping[str, Any]) -> list[str]:
    """Say what was resampled, how often, and what level the intervals have."""
    unit = {"patient": "patients with all their recordings", "recording": "single recordings"}[validation["unit"]]
    resamples = write_number(validation["n_resamples"], 0)
    sentences = [
        f"Intervals are {write_level(validation['level'])} intervals from {resamples} bootstrap resamples of {unit}.",
        *_METHODS[validation.get("method", "percentile")],
        "Resamples in which only one class was drawn give no estimate; they are left out and counted.",
        "They hold the fitted models fixed: they cover the choice of the people tested, not that of those trained on.",
    ]
    if validation["unit"] == "recording":
        sentences.append("Recordings of one patient are taken as independent, which makes the intervals too narrow.")
    return sentences


def name_faults(declaration: Mapping[str, Any]) -> list[str]:
    """Name each fault of the published method that mode "paper" repeats, and what it does to the numbers."""
    declared = [f"{fault['name']}: {fault['text']}" for fault in declaration.get("faults", ())]
    return declared or [*_faults_of_model(declaration), *_faults_of_intervals(declaration["validation"])]


def _faults_of_model(declaration: Mapping[str, Any]) -> list[str]:
    if declaration["model"].get("preset") == "xgboost_defaults":
        return ["One fold stops the growth, and risks are not calibrated."]
    return [
        "Selection of predictors and early stopping use one and the same fold, so that fold no longer measures either.",
        "Isotonic calibration is fitted on that same fold: it sees log-odds that are better there than elsewhere, and "
        "the risks come out too extreme.",
        "Predictors are selected by deep trees but used by stumps, another kind of model.",
    ]


def _faults_of_intervals(validation: Mapping[str, Any]) -> list[str]:
    faults = []
    if validation["unit"] == "recording":
        faults.append(
            "The bootstrap draws recordings, not patients: recordings of one patient resemble one another, and the "
            "intervals are too narrow."
        )
    percent = write_level(validation["level"])
    if validation["level"] < 0.5:
        faults.append(
            f"The interval is the central {percent} of the resamples; the publications call it 95 %. It holds "
            f"{percent} of the resamples and is labelled {percent} here."
        )
    else:
        faults.append(
            "The publications take the central 5 % of the resamples for a 95 % interval. This is not repeated: the "
            f"level here is {percent}."
        )
    return [*faults, "The publications compare with no model of age and sex; that comparison is added here."]


def _describe_source(declaration: Mapping[str, Any], *, simulated: bool) -> list[str]:
    sentences = [f"Development and internal validation used the database “{declaration['database']['kind']}”."]
    external = declaration["external"]
    if external is not None:
        sentences.append(
            f"External validation used “{external['kind']}” ({external['folder']}), with nothing refitted."
        )
    else:
        sentences.append("There was no external validation.")
    if simulated:
        sentences.append(
            "All patients are simulated: the risk of each outcome is a known function of known quantities."
        )
    return sentences


def _describe_validation(declaration: Mapping[str, Any]) -> list[str]:
    thresholds = join_words([f"{t:g}" for t in declaration["validation"]["thresholds"]])
    return [
        "Discrimination: AUROC and AUPRC (average precision; by chance it equals the prevalence). Calibration: "
        "calibration-in-the-large (intercept with slope fixed at 1), slope, curve over tenths of predicted risk. "
        "Both together: Brier score. Utility: net benefit.",
        f"Thresholds were fixed before the data were seen: predicted risks of {thresholds}." if thresholds else "",
        *describe_bootstrap(declaration["validation"]),
        "Intervals of different targets are not adjusted for their number.",
        *_describe_closer(declaration),
    ]


def _describe_closer(declaration: Mapping[str, Any]) -> list[str]:
    """Say how people were compared, and what was mended to see what that would gain."""
    sentences = []
    if declaration["mode"] == "sound":
        sentences.append(
            "Subgroups by sex and age band, and by site, race and atrial fibrillation where a database has them, were "
            "compared by tests of interaction, adjusted over all targets after Benjamini and Hochberg; subgroups in "
            "which fewer than 10 patients have, or have not, the event are suppressed."
        )
    if declaration["external"] is not None:
        sentences.append(
            "Risks in the external database were also mended there, by a new intercept and by a new intercept and "
            "slope, fitted to one half of the patients and judged on the other, in turn."
        )
    return sentences


def _describe_software(declaration: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    names = join_words([f"{name} {version}" for name, version in versions.items()])
    return f"Seed {declaration['seed']}; mode “{declaration['mode']}”; {names or 'versions not recorded'}."
