"""The rules that a methods reviewer goes by: each with a code that never changes, and who asks for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One thing that is checked.

    Parameters
    ----------
    code : str
        Stable name; never reused for another meaning.
    severity : {"error", "warning"}
        An error makes the figures wrong; a warning makes them weak.
    item : str
        The item of the TRIPOD+AI statement that asks for it.
    probast : str
        The part, domain and signalling question of PROBAST+AI: "evaluation 4.5"; "evaluation 4" is its domain alone.
    needs : str
        What has to be known for this check, beside the predictions.
    meaning : str
        What must hold.
    """

    code: str
    severity: str
    item: str
    probast: str
    needs: str
    meaning: str


def _rule(code: str, severity: str, item: str, *, probast: str, needs: str = "", meaning: str) -> Rule:
    return Rule(code, severity, item, probast, needs, meaning)


RULES = (
    _rule("V001", "error", "12a", probast="evaluation 4.5", needs="development patients",
          meaning="No patient is in the development data and in the evaluation data."),
    _rule("V002", "error", "12a", probast="evaluation 4.5", needs="recordings used in any choice",
          meaning="No recording is used to select or tune a model and to judge it."),
    _rule("V003", "error", "7", probast="evaluation 4",
          meaning="A recording has one row per target, model and set."),
    _rule("V004", "error", "12g", probast="evaluation 4.7",
          meaning="A predicted risk is between 0 and 1."),
    _rule("V005", "warning", "10", probast="evaluation 4.2",
          meaning="At least 10 patients have the event, and 10 have none, for an interval."),
    _rule("V006", "warning", "12e", probast="evaluation 4.2",
          meaning="At least 200 recordings have the event, and 200 none, for a calibration curve."),
    _rule("V007", "warning", "23a", probast="evaluation 4.7",
          meaning="A model gives different patients different risks."),
    _rule("V008", "warning", "12e", probast="evaluation 4.7",
          meaning="Every model is compared with age and sex alone, on the same recordings."),
    _rule("V009", "error", "9b", probast="evaluation 2.4", needs="predictors, or their times",
          meaning="Every predictor is known at the index ECG."),
    _rule("V010", "warning", "10", probast="development 4.1", needs="development outcomes, number of parameters",
          meaning="The development data are enough for the number of parameters that were tried."),
    _rule("V011", "warning", "12e", probast="evaluation 4.7", needs="reported measures",
          meaning="Calibration is reported: intercept and slope, or a curve."),
    _rule("V012", "warning", "15", probast="evaluation 4.5", needs="thresholds",
          meaning="Thresholds are declared before the evaluation data are seen, not read off them."),
    _rule("V013", "warning", "12d", probast="evaluation 1.1", needs="site of each recording",
          meaning="The model knows more of the outcome than the site of the recording does."),
    _rule("V014", "warning", "12a", probast="evaluation 4.5", needs="measurements",
          meaning="No recording is there twice, under two patients or on both sides of the split."),
    _rule("V015", "warning", "23a", probast="evaluation 3.3",
          meaning="No AUROC is too good to be true: above 0.99, or above 0.98 from a single predictor."),
    _rule("V016", "error", "12e", probast="evaluation 4.7", needs="unit of resampling",
          meaning="Where patients have several recordings, the patient is what is resampled."),
    _rule("V017", "warning", "23a", probast="evaluation 4.7", needs="level of the intervals",
          meaning="Intervals are 95 % intervals, as the reader will take them to be."),
    _rule("V018", "error", "12c", probast="evaluation 4.5", needs="where choices were made",
          meaning="Predictors, model and tuning are chosen on development data."),
    _rule("V019", "warning", "13", probast="development 4.4", needs="class weights or resampling of classes",
          meaning="After class weights, or resampling of a class, the risks are calibrated again."),
    _rule("V020", "warning", "13", probast="evaluation 4.7",
          meaning="The mean risk is within a factor of two of the share that has the event."),
)  # fmt: skip
"""The rules in order, with who asks for them.

Items of TRIPOD+AI: Collins GS et al., doi:10.1136/bmj-2023-078378. Questions of PROBAST+AI: Moons KGM et al.,
doi:10.1136/bmj-2024-082505. Its form was not at hand: questions 4.1 to 4.7 of the evaluation are numbered as two public
transcripts of it agree, the others as one has them, whose counts (16 and 18 questions) are those of the abstract.
"""

_RULE = {rule.code: rule for rule in RULES}


@dataclass(frozen=True)
class Objection:
    """A rule that is broken, and by what.

    Parameters
    ----------
    code : str
        Of the `Rule`.
    message : str
        What must hold, what was got, what next.

    Examples
    --------
    >>> found = Objection("V001", "patients must be apart; got 1 on both sides, 'b'. Split by patient.")
    >>> found.severity, found.item, found.probast
    ('error', '12a', 'evaluation 4.5')
    """

    code: str
    message: str

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return _RULE[self.code]

    @property
    def severity(self) -> str:
        """Whether it makes the figures wrong or weak: error or warning."""
        return self.rule.severity

    @property
    def item(self) -> str:
        """The item of TRIPOD+AI."""
        return self.rule.item

    @property
    def probast(self) -> str:
        """The question of PROBAST+AI."""
        return self.rule.probast
