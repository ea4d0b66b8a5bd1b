"""Add up a judge's marks of ECG texts: as the published evaluations do, fault for fault, or strictly."""

from collections.abc import Mapping, Sequence
from typing import Literal

from twelvelead.terms import InputError

Rules = Literal["gem", "gem-mean", "ecg-r1", "strict"]
Marks = Mapping[str, Sequence[float]]

RENAMED = {
    "GroundedECGUnderstanding": "ECGFeatureGrounding",
    "Evidence-BasedReasoning": "EvidenceBasedReasoning",
    "RealisticDiagnosticProcess": "ClinicalDiagnosticFidelity",
}
"""What GEM's prompt asks for, and what its evaluation reads: without ECG-R1's list of names those marks are lost."""
SUMS = ("AnalysisCompleteness", "AnalysisRelevance")
PERCENT = ("ECGFeatureGrounding", "EvidenceBasedReasoning", "ClinicalDiagnosticFidelity")
GEM = ("DiagnosisAccuracy", *SUMS, "LeadAssessmentCoverage", "LeadAssessmentAccuracy", *PERCENT)
ECG_R1 = ("DiagnosisAccuracy", *SUMS, "LeadEvidenceValidity", *PERCENT)
BEST = {"DiagnosisAccuracy": 2, "LeadAssessmentCoverage": 1, "LeadAssessmentAccuracy": 2}


def add_marks(judged: Mapping[str, Marks], *, rules: Rules) -> dict[str, float]:
    """Make a table's row of a judge's marks.

    Parameters
    ----------
    judged : mapping of str to mapping of str to sequence of float
        By recording and by what was judged: the marks that the judge listed, one for a diagnosis or a lead.
    rules : {"gem", "gem-mean", "ecg-r1", "strict"}
        Whose.

    Returns
    -------
    dict of str to float
        The mean over the recordings that have a mark of a kind; a kind that none has is left out.

    Raises
    ------
    InputError
        With strict: if a mark is out of range, a lead is marked twice (more than twelve marks), a share is given more
        than once, or a kind is missing of a recording.

    Notes
    -----
    "gem" [1]_: the accuracy of diagnoses is the share of marks above 0 of those the judge listed, so that half right
    is right and the judge chooses what is divided by; completeness and relevance are sums without a limit; coverage is
    the sum, at most 12, of 12; accuracy in leads the sum of 24, with no limit; of the last three the sums, which exceed
    100 if the judge lists two; recordings without a mark are passed over; marks under the names of its own prompt are
    not found. "gem-mean": another published state of the same evaluation, in which the accuracy of diagnoses is half
    the mean of the marks above 0, and the last three are means of the marks above 0: a wrong diagnosis costs nothing.
    "ecg-r1": the first with the names mended, leads judged together, and the mean of the last three.

    "strict": diagnoses are worth what they were given of 2 each; completeness and relevance are means per diagnosis;
    every kind must be there.

    References
    ----------
    .. [1] Lan X, et al. GEM. doi:10.48550/arXiv.2503.06073.

    Examples
    --------
    Three diagnoses: right (2), half right (1) and wrong (0).

    >>> marks = {"r1": {"DiagnosisAccuracy": [2, 1, 0]}}
    >>> [round(add_marks(marks, rules=r)["DiagnosisAccuracy"], 1) for r in ("gem", "gem-mean", "ecg-r1")]
    [66.7, 75.0, 66.7]
    """
    kinds = ECG_R1 if rules == "ecg-r1" else GEM
    named = {name: _rename(marks) if rules in ("ecg-r1", "strict") else marks for name, marks in judged.items()}
    if rules == "strict":
        for name, marks in named.items():
            _check(name, marks)
    table = {}
    for kind in kinds:
        worth = [_worth(kind, list(marks[kind]), rules) for marks in named.values() if kind in marks]
        if worth:
            table[kind] = sum(worth) / len(worth)
    if rules == "ecg-r1" and set(PERCENT) <= table.keys():
        table["Average"] = _mean_of_three(named)
    return table


def _rename(marks: Marks) -> dict[str, Sequence[float]]:
    return {RENAMED.get(kind, kind): given for kind, given in marks.items()}


def _worth(kind: str, marks: list[float], rules: Rules) -> float:
    """Say what one recording's marks of one kind come to."""
    above = [mark for mark in marks if mark > 0]
    if kind == "DiagnosisAccuracy":
        return _diagnoses(marks, above, rules)
    if kind == "LeadAssessmentCoverage":
        return min(sum(marks), 12.0) / 12.0 * 100.0
    if kind == "LeadAssessmentAccuracy":
        return sum(marks) / 24.0 * 100.0
    if kind in PERCENT and rules == "gem-mean":
        return sum(above) / len(above) if above else 0.0
    if kind in SUMS and rules == "strict":
        return sum(marks) / len(marks)
    return float(sum(marks))


def _diagnoses(marks: list[float], above: list[float], rules: Rules) -> float:
    if not marks:
        return 0.0
    if rules == "strict":
        return sum(marks) / (2 * len(marks)) * 100.0
    if rules == "gem-mean":
        return sum(above) / len(above) / 2 * 100.0 if above else 0.0
    return len(above) / len(marks) * 100.0


def _mean_of_three(named: Mapping[str, Marks]) -> float:
    """Average the last three by recording, of those that are there, and then over recordings."""
    means = []
    for marks in named.values():
        there = [float(sum(marks[kind])) for kind in PERCENT if kind in marks]
        if there:
            means.append(sum(there) / len(there))
    return sum(means) / len(means)


def _check(name: str, marks: Marks) -> None:
    for kind in GEM:
        given = marks.get(kind)
        most = 12 if kind.startswith("Lead") else 1 if kind in PERCENT else 1000
        best = BEST.get(kind, 100)
        if not given or len(given) > most or not all(0 <= mark <= best for mark in given):
            msg = (
                f"of {kind} there must be 1 to {most} marks from 0 to {best}; got {given} of {name!r}. Judge it again."
            )
            raise InputError(msg)
