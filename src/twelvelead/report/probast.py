"""The questions of PROBAST+AI, and which of our checks look at each: what software can see of the risk of bias."""

from collections.abc import Collection
from dataclasses import dataclass

from twelvelead.validate import RULES, Objection

DOMAINS = ("participants and data sources", "predictors", "outcome", "analysis")


@dataclass(frozen=True)
class Question:
    """One signalling question.

    Parameters
    ----------
    part : {"development", "evaluation"}
        Quality of the development, or risk of bias of the evaluation.
    number : str
        Domain and question: "4.5".
    topic : str
        What it asks, in our words.
    """

    part: str
    number: str
    topic: str


_SHARED = (
    ("1.1", "Data sources fit the purpose"),
    ("1.2", "The study design fits the purpose"),
    ("1.3", "Those included are representative"),
    ("2.1", "Predictors are defined and assessed alike in all"),
    ("2.2", "Predictors are prepared alike in all"),
    ("2.3", "Predictors are assessed without knowledge of the outcome"),
    ("2.4", "Predictors are known when the model is to be used"),
    ("3.1", "The outcome is defined and assessed well"),
    ("3.2", "The outcome is defined and assessed alike in all"),
    ("3.3", "The outcome is assessed without use of the predictors"),
    ("3.4", "The time from predictors to outcome fits"),
)
_DEVELOPMENT = (
    ("4.1", "The sample is large enough"),
    ("4.2", "Continuous and categorical predictors are handled well"),
    ("4.3", "Missing and censored data are handled well"),
    ("4.4", "After weights or resampling of classes the model is calibrated again"),
    ("4.5", "Overfitting is dealt with"),
)
_EVALUATION = (
    ("4.1", "It is not apparent performance alone"),
    ("4.2", "The sample is large enough"),
    ("4.3", "Missing and censored data are handled well"),
    ("4.4", "It is done in data whose classes were not resampled"),
    ("4.5", "Nothing leaks from training to test data"),
    ("4.6", "Resampling repeats every step of the development"),
    ("4.7", "Calibration, discrimination and net benefit are measured well"),
)

QUESTIONS = tuple(
    Question(part, number, topic)
    for part, own in (("development", _DEVELOPMENT), ("evaluation", _EVALUATION))
    for number, topic in (*_SHARED, *own)
)
"""16 questions on development and 18 on evaluation: Moons KGM et al. 2025, doi:10.1136/bmj-2024-082505."""

ASSESSOR = "for the assessor"


@dataclass(frozen=True)
class Answer:
    """What our checks say of a question.

    Parameters
    ----------
    question : Question
        Which.
    codes : tuple of str
        Our rules that look at it.
    found : str
        Codes of the objections; "no objection"; or that it is for the assessor. "No objection" is not a yes: a check
        sees one way to go wrong, not all.
    """

    question: Question
    codes: tuple[str, ...]
    found: str


def answer_questions(objections: Collection[Objection], *, checked: Collection[str]) -> list[Answer]:
    """Say of each question what the checks that were made have found.

    Parameters
    ----------
    objections : collection of Objection
        What was found.
    checked : collection of str
        Codes of the rules for which enough was known.

    Returns
    -------
    list of Answer
        In the order of the form.

    Examples
    --------
    >>> answers = answer_questions([Objection("V001", "…")], checked=["V001", "V002"])
    >>> [(a.question.part, a.codes, a.found) for a in answers if a.question.number == "4.5"]
    [('development', (), 'for the assessor'), ('evaluation', ('V001', 'V002'), 'V001')]
    """
    broken = {objection.code for objection in objections}
    answers = []
    for question in QUESTIONS:
        place = f"{question.part} {question.number}"
        codes = tuple(rule.code for rule in RULES if rule.probast == place and rule.code in checked)
        found = ", ".join(code for code in codes if code in broken) or ("no objection" if codes else ASSESSOR)
        answers.append(Answer(question, codes, found))
    return answers


def checked_codes(known: Collection[str] = ()) -> list[str]:
    """Return the codes of the rules that could be checked: those that need nothing more, and those named.

    Parameters
    ----------
    known : collection of str
        Codes of rules whose needs were met.

    Examples
    --------
    >>> checked_codes(["V001"])
    ['V001', 'V003', 'V004', 'V005', 'V006', 'V007', 'V008', 'V015', 'V020']
    """
    return [rule.code for rule in RULES if not rule.needs or rule.code in known]
