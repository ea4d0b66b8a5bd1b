"""Whether a recording is fit to be measured, and if not, why, as typed values."""

from dataclasses import dataclass

from twelvelead.terms import Reason


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a recording.

    Parameters
    ----------
    reason : Reason
        The kind of fault.
    lead : str or None
        The lead it concerns; None for the whole recording.
    message : str
        What must hold and what was got.
    """

    reason: Reason
    lead: str | None
    message: str


@dataclass(frozen=True)
class Quality:
    """What was found, and which leads may be measured.

    Parameters
    ----------
    usable : tuple of str
        Leads that may be measured, in the recording's order.
    findings : tuple of Finding
        Everything that is wrong, worst first.
    refusal : Finding or None
        Why the whole recording can't be measured, where it can't.
    """

    usable: tuple[str, ...]
    findings: tuple[Finding, ...]
    refusal: Finding | None = None
