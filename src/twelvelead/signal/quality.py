"""Whether a recording is fit to be measured, and if not, why, as typed values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.leads import einthoven_residual_mv
from twelvelead.signal.recording import Recording
from twelvelead.signal.survey import Survey, survey
from twelvelead.terms import LEADS, Reason

SHORTEST_S = 2.5  # the length of one column of a printed 12-lead ECG; the shortest that is in use
CLAIMS_TWELVE = 8  # a recording with so many standard leads is a 12-lead ECG, and lacks those it does not have
FLAT_MV = 0.01  # a beat of less than 10 uV is below what any electrocardiograph resolves
FLAT_RUN_S = 2.0  # a line between beats still shows the amplifier's noise; one value means an electrode is off
V_LEVELS = 100  # values that a beating lead takes; an empty channel of a few converter steps takes fewer
MOSTLY = 0.5  # share of a lead's samples
RAIL_SHARE = 0.1  # of the samples at the very top or bottom: a saturated amplifier, for beats touch it in 1 or 2 %
CLIPPED_RUN_S = 0.016  # a natural peak does not stand still for so long at the very top of a lead
LARGEST_MV = 20.0  # no heart gives so much between the 1st and the 99th percentile
SMALLEST_MV = 0.02  # no adult's twelve leads are all smaller
STEEP_SHARE = 0.02  # of the lead's range, from one sample to the next: the foot of a cut-off QRS complex
STEEP_MV = 0.03  # several steps of the coarsest machines
NOISE_RATIO = 0.35  # high-frequency noise, as a share of the lead's own amplitude
EINTHOVEN_MV = 0.1  # well above the rounding of any machine, well below a wrong lead


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


def assess(recording: Recording) -> Quality:
    """Judge a recording by its samples alone, before any beat is looked for.

    Parameters
    ----------
    recording : Recording
        With any leads and sampling frequency.

    Returns
    -------
    Quality
        Leads that are absent, flat, saturated or mostly missing are not usable; clipped and noisy ones are, and are
        said to be so. The recording is refused if it is too short, if no lead is usable, or if its amplitudes can't
        be mV.

    Examples
    --------
    >>> flat = Recording(np.zeros((1, 5000)), ("II",), 500, id="r1")
    >>> assess(flat).refusal.reason
    <Reason.FLAT: 'flat'>
    """
    if recording.n_samples + 1 < SHORTEST_S * recording.fs:  # a sample less is a matter of rounding
        short = Finding(
            Reason.TOO_SHORT,
            None,
            f"a recording must last at least {SHORTEST_S} s; got {recording.duration:.2f} s in {recording.id!r}. "
            "Record longer.",
        )
        return Quality((), (short,), short)
    samples = np.ascontiguousarray(recording.signal.T)
    facts = survey(samples, fs=recording.fs)
    findings = _missing(recording)
    unusable: set[str] = set()
    for row in np.flatnonzero(_suspicious(facts, recording)).tolist():
        fatal, faults = _judge_lead(samples[:, row], Survey(*(values[row] for values in facts)), recording, row=row)
        findings += faults
        if fatal:
            unusable.add(recording.leads[row])
    usable = tuple(lead for lead in recording.leads if lead not in unusable)
    units = _check_units(recording, facts.spread[[lead in usable for lead in recording.leads]])
    findings += _contradiction(recording)
    refusal = units or (None if usable else _worst(findings, recording))
    return Quality(usable, tuple(([units] if units else []) + findings), refusal)


def _worst(findings: list[Finding], recording: Recording) -> Finding:
    """Choose why a recording without a usable lead is refused: the fault of its first lead."""
    for finding in findings:
        if finding.lead in recording.leads:
            return finding
    return Finding(Reason.MISSING_LEAD, None, f"a recording must have a lead; got none in {recording.id!r}.")


def _contradiction(recording: Recording) -> list[Finding]:
    residual = einthoven_residual_mv(recording)
    if not residual > EINTHOVEN_MV:
        return []
    text = f"limb leads must agree within {EINTHOVEN_MV} mV (II = I + III); got {residual:.2f} mV. Check their names."
    return [Finding(Reason.EINTHOVEN, None, text)]


def _missing(recording: Recording) -> list[Finding]:
    """Name the standard leads that a 12-lead recording lacks."""
    standard = [lead for lead in LEADS if lead in recording.leads]
    if len(standard) < CLAIMS_TWELVE:
        return []
    return [
        Finding(Reason.MISSING_LEAD, lead, f"lead {lead} must be there in a 12-lead ECG; got none.")
        for lead in LEADS
        if lead not in recording.leads
    ]


def _suspicious(facts: Survey, recording: Recording) -> NDArray[np.bool_]:
    """Which leads call for a closer look, at limits no wider than those of `_judge_lead`."""
    extent = facts.high - facts.low
    fine = (
        (facts.known >= (1 - MOSTLY) * recording.n_samples)
        & (extent >= FLAT_MV)
        & (facts.at_rail < min(RAIL_SHARE * recording.n_samples, max(3, round(CLIPPED_RUN_S * recording.fs))))
        & (facts.standing <= FLAT_RUN_S * recording.fs)
        & (facts.noise <= NOISE_RATIO * facts.spread)
    )
    return np.asarray(~fine)


def _judge_lead(
    samples: NDArray[np.float32], facts: Survey, recording: Recording, *, row: int
) -> tuple[bool, list[Finding]]:
    """Say what is wrong with one lead, of which `facts` holds plain numbers, and whether it is too much to measure."""
    lead = recording.leads[row]
    lost = 1 - float(facts.known) / recording.n_samples
    if lost > MOSTLY:
        text = f"lead {lead} must have samples; got {100 * lost:.0f} % missing."
        return True, [Finding(Reason.MISSING_LEAD, lead, text)]
    known = samples[~np.isnan(samples)]
    low, high, spread = float(facts.low), float(facts.high), float(facts.spread)
    if high - low < FLAT_MV and not _is_small_copy(known, high - low):
        text = f"lead {lead} must vary by {1000 * FLAT_MV:.0f} uV; got {1000 * (high - low):.1f} uV."
        return True, [Finding(Reason.FLAT, lead, text)]
    share = float(facts.at_rail) / known.size
    if share > RAIL_SHARE and spread > 0.5 * (high - low):
        text = f"lead {lead} must stay within the amplifier's range; got {100 * share:.0f} % of samples at a limit."
        return True, [Finding(Reason.SATURATED, lead, text)]
    faults = []
    standing = float(facts.standing) / recording.fs
    if standing > FLAT_RUN_S:
        text = f"lead {lead} must vary all the time; got one value for {standing:.1f} s."
        faults.append(Finding(Reason.FLAT, lead, text))
        if standing > MOSTLY * recording.duration:
            return True, faults
    if _is_clipped(known, (known == low) | (known == high), fs=recording.fs):
        text = f"lead {lead} must have whole peaks; got peaks cut off at a level."
        faults.append(Finding(Reason.CLIPPED, lead, text))
    if spread > 0 and float(facts.noise) > NOISE_RATIO * spread:
        text = f"lead {lead} must stand out from noise; got noise of {facts.noise:.2f} mV on {spread:.2f} mV."
        faults.append(Finding(Reason.NOISE, lead, text))
    return False, faults


def _is_small_copy(known: NDArray[np.float32], extent: float) -> bool:
    """Whether a lead that is too small for mV has the resolution of a whole ECG, as one in V has."""
    return extent > 0 and np.unique(known).size >= V_LEVELS


def _is_clipped(x: NDArray[np.float32], at_rail: NDArray[np.bool_], *, fs: float) -> bool:
    """Whether a peak stands still at the lead's limit after having come there steeply.

    A broad T wave stands still at its top too, but has slowed down before; a cut-off peak has not.
    """
    shortest = max(3, round(CLIPPED_RUN_S * fs))
    if np.count_nonzero(at_rail) < shortest:
        return False
    edges = np.flatnonzero(np.diff(np.concatenate(([0], at_rail.view(np.int8), [0]))))
    first, last = edges[::2], edges[1::2] - 1
    long = last - first + 1 >= shortest
    first, last = first[long], last[long]
    inner = (first > 0) & (last < x.size - 1)
    first, last = first[inner], last[inner]
    steps = np.maximum(np.abs(x[first] - x[first - 1]), np.abs(x[last] - x[last + 1]))
    return bool((steps > max(STEEP_MV, STEEP_SHARE * float(x.max() - x.min()))).any())


def _check_units(recording: Recording, spread: NDArray[np.float64]) -> Finding | None:
    """Refuse amplitudes that no heart gives in mV: uV or converter steps taken for mV, or V."""
    if spread.size == 0:
        return None
    typical = float(np.sort(spread)[spread.size // 2])
    if SMALLEST_MV <= typical <= LARGEST_MV:
        return None
    guess = "uV or converter steps" if typical > LARGEST_MV else "V"
    text = (
        f"amplitudes must be in mV, so {SMALLEST_MV} to {LARGEST_MV:g} between the 1st and 99th percentile; "
        f"got {typical:.3g} in {recording.id!r}, which looks like {guess}. Declare the unit."
    )
    return Finding(Reason.WRONG_UNITS, None, text)
