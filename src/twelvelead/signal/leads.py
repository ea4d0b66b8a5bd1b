"""Lead names and lead algebra."""

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.signal.recording import Recording
from twelvelead.terms import LEADS

Samples = NDArray[np.float32]

_MOST_COMPARED = 1250
_BY_LOWER = {lead.lower(): lead for lead in LEADS}
_PREFIXES = ("lead ", "lead_", "ecg ", "ecg_", "mdc_ecg_lead_")

# Einthoven: II = I + III. Goldberger: aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2. Any two give the rest.
_FROM_I_II = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


def lead_name(text: str) -> str:
    """Spell a lead's name in the standard way, whatever its case; leave the name of any other signal as it is.

    Examples
    --------
    >>> [lead_name(t) for t in ("AVR", "v1", "Lead II", "MLII")]
    ['aVR', 'V1', 'II', 'MLII']
    """
    name = text.strip()
    lower = name.lower()
    for prefix in _PREFIXES:
        lower = lower.removeprefix(prefix)
    return _BY_LOWER.get(lower, name)


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """Tell repetitions of a name apart by a number that no other name ends in.

    Examples
    --------
    >>> distinct_names(["ECG 2", "ECG", "ECG"])
    ('ECG 2', 'ECG', 'ECG 3')
    """
    given = list(names)
    there, taken, last = set(given), dict[str, None](), dict[str, int]()
    for name in given:
        told = name
        while told in taken or (told != name and told in there):
            last[name] = last.get(name, 1) + 1
            told = f"{name} {last[name]}"
        taken[told] = None
    return tuple(taken)


def derive_limb_leads(recording: Recording) -> Recording:
    """Add the limb leads that follow from those recorded; recorded leads are never overwritten.

    Parameters
    ----------
    recording : Recording
        With any leads.

    Returns
    -------
    Recording
        With all six limb leads if at least two were there and hold samples; otherwise unchanged.

    Notes
    -----
    Einthoven: III = II − I. Goldberger: aVR = −(I + II)/2, aVL = I − II/2, aVF = II − I/2. The derivation starts from I
    and II where they are there, otherwise from the first two limb leads in standard order, solved for I and II.

    Examples
    --------
    >>> r = Recording(np.array([[1.0], [3.0]]), ("I", "II"), 500)
    >>> derived = derive_limb_leads(r)
    >>> {lead: float(derived[lead][0]) for lead in derived.leads}
    {'I': 1.0, 'II': 3.0, 'III': 2.0, 'aVR': -2.0, 'aVL': -0.5, 'aVF': 2.5}
    """
    present = _recorded_limb_leads(recording)
    missing = [lead for lead in _FROM_I_II if lead not in recording.leads]
    if len(present) < 2 or not missing:
        return recording
    i, ii = _solve_for_i_ii(recording, present[:2])
    derived = [_FROM_I_II[lead][0] * i + _FROM_I_II[lead][1] * ii for lead in missing]
    signal = np.vstack([recording.signal, np.asarray(derived, dtype=np.float32)])
    return replace(recording, signal=signal, leads=(*recording.leads, *missing))


def standard_order(recording: Recording) -> Recording:
    """Sort the leads: the standard twelve in their usual order, then any others as they came.

    Examples
    --------
    >>> standard_order(Recording(np.zeros((3, 1)), ("V1", "aVF", "I"), 500)).leads
    ('I', 'aVF', 'V1')
    """
    leads = [lead for lead in LEADS if lead in recording.leads]
    leads += [lead for lead in recording.leads if lead not in LEADS]
    if tuple(leads) == recording.leads:
        return recording
    rows = [recording.leads.index(lead) for lead in leads]
    return replace(recording, signal=recording.signal[rows], leads=tuple(leads))


def einthoven_residual_mv(recording: Recording) -> float:
    """Say how far the limb leads contradict one another: 0 mV if Einthoven's and Goldberger's laws hold.

    Parameters
    ----------
    recording : Recording
        With any leads.

    Returns
    -------
    float
        Root mean square in mV of recorded minus derived, over the limb leads that two others determine; NaN where
        fewer than three limb leads are there.

    Examples
    --------
    >>> einthoven_residual_mv(Recording(np.array([[1.0], [3.0], [2.0]]), ("I", "II", "III"), 500))
    0.0
    >>> round(einthoven_residual_mv(Recording(np.array([[1.0], [3.0], [-2.0]]), ("I", "II", "III"), 500)), 6)
    4.0
    """
    present = _recorded_limb_leads(recording)
    if len(present) < 3:
        return float("nan")
    at = np.array([recording.leads.index(lead) for lead in present])
    residual: float = _residual(np.ascontiguousarray(recording.signal.T), at, _derivation(tuple(present)))
    return residual


@cache
def _derivation(limb_leads: tuple[str, ...]) -> NDArray[np.float64]:
    """Weigh the first two limb leads so as to give the third and any further one; shape (n_leads − 2, 2)."""
    weights = np.array([_FROM_I_II[lead] for lead in limb_leads])
    derived: NDArray[np.float64] = weights[2:] @ np.linalg.inv(weights[:2])
    return derived


@kernel
def _residual(x: Samples, at: NDArray[np.intp], derived: NDArray[np.float64]) -> float:
    """Root mean square of columns `at[2:]` minus their derivations from columns `at[:2]`, each about its own mean.

    An offset is no contradiction between leads: each lead's amplifier has its own. A single sample has no offset, and
    a few thousand of them are enough.
    """
    step = max(1, len(x) // _MOST_COMPARED)
    squares, count = 0.0, 0
    for j in range(len(derived)):
        total, own, n = 0.0, 0.0, 0
        for t in range(0, len(x), step):
            value = x[t, at[j + 2]] - derived[j, 0] * x[t, at[0]] - derived[j, 1] * x[t, at[1]]
            if not np.isnan(value):
                total += value
                own += value * value
                n += 1
        squares += own - (total * total / n if n > 1 else 0.0)
        count += n
    return math.sqrt(max(squares, 0.0) / count) if count > 0 else np.nan


def _recorded_limb_leads(recording: Recording) -> list[str]:
    """Name the limb leads that hold samples, in standard order."""
    present = [lead for lead in _FROM_I_II if lead in recording.leads]
    return [lead for lead in present if _holds_samples(recording[lead])]


def _holds_samples(samples: Samples) -> bool:
    return samples.size > 0 and (not np.isnan(samples[0]) or not np.isnan(samples).all())


def _solve_for_i_ii(recording: Recording, two: list[str]) -> NDArray[np.float64]:
    """Compute leads I and II, shape (2, n_samples), from any two limb leads."""
    inverse = np.linalg.inv(np.array([_FROM_I_II[lead] for lead in two]))
    solved: NDArray[np.float64] = inverse @ np.stack([recording[lead] for lead in two]).astype(np.float64)
    return solved
