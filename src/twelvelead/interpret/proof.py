"""What was found, and what it rests on: statement, criteria, measurements and where on the signal they were made."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a criterion holds."""

    MET = "met"
    NOT_MET = "not met"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True)
class Span:
    """A stretch of the signal.

    Parameters
    ----------
    lead : str or None
        The lead; None for all leads together.
    start_s, end_s : float
        From and to, s from the start of the recording.
    wave : str
        What lies there: P, PR, QRS, ST, T, QT, RR or beat.
    beat : int or None
        Which beat, from 0; None if it is not one beat's.
    """

    lead: str | None
    start_s: float
    end_s: float
    wave: str
    beat: int | None = None


@dataclass(frozen=True)
class Evidence:
    """One measured number.

    Parameters
    ----------
    name : str
        Of the measurement, in the CATALOGUE or in `DERIVED`.
    value : float
        In `unit`.
    unit : str
        A house unit.
    lead : str or None
        The lead it belongs to, if to one.
    error : float or None
        Half the width of the measurement's own 95 % limits of error, in `unit`; None where it is not known.
    spans : tuple of Span
        Where it was measured; at least one.
    """

    name: str
    value: float
    unit: str
    lead: str | None
    error: float | None
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Proof:
    """A verdict with its reasons.

    Parameters
    ----------
    text : str
        What is claimed.
    verdict : Verdict
        Whether it holds.
    firm : Verdict
        The same, if every comparison that lies within the measurement's own error counted as unknown.
    key : str
        Of the criterion or finding; empty for a part without a name.
    why : str
        Why it is indeterminate; empty otherwise.
    source : str
        `doi:…` of the criterion; empty for parts of one.
    parts : tuple of Proof
        What it was concluded from.
    evidence : tuple of Evidence
        The numbers that were compared, for a comparison.
    """

    text: str
    verdict: Verdict
    firm: Verdict
    key: str = ""
    why: str = ""
    source: str = ""
    parts: tuple["Proof", ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def borderline(self) -> bool:
        """Whether the verdict hangs on a number that lies within its own error of a limit."""
        return self.firm is not self.verdict

    def walk(self) -> Iterator["Proof"]:
        """Go through this and all its parts, each before its own."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def all_evidence(self) -> tuple[Evidence, ...]:
        """Give every number below it, each once, in order."""
        return tuple(dict.fromkeys(e for proof in self.walk() for e in proof.evidence))


@dataclass(frozen=True)
class Interpretation:
    """All findings of one recording by one pack of criteria.

    Parameters
    ----------
    recording_id : str
        The recording.
    pack : str
        Key of the pack.
    findings : mapping of str to Proof
        By the finding's key, in the pack's order.
    """

    recording_id: str
    pack: str
    findings: dict[str, Proof]

    @property
    def met(self) -> tuple[str, ...]:
        """Keys of the findings that hold."""
        return tuple(key for key, proof in self.findings.items() if proof.verdict is Verdict.MET)
