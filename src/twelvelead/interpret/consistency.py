"""Whether a text agrees with itself: rate and RR, QT and QTc, axis and signs, limb leads, pauses."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from twelvelead.interpret.case import Case
from twelvelead.interpret.claims import Claim
from twelvelead.interpret.verify_readings import median_rr_ms

RATE_SHARE = 0.1
"""Rate and RR may be of different beats: 10 %."""
QTC_MS = 15.0
"""QT and QTc may be rounded, and of different beats."""
PAUSE = 1.2
"""A pause is longer than so many median RR intervals."""
FASTEST_SINUS_MS = 600.0
"""RR interval of the fastest sinus rhythm that is not called tachycardia: 100 a minute."""
LIMB_MV = 0.2
"""ST levels are told to two digits, each at the J point of its own lead: 0.2 mV."""


class Clash(NamedTuple):
    """Where a text contradicts itself, and why."""

    start: int
    end: int
    why: str


def clashes(claims: Sequence[Claim], case: Case | None = None) -> list[Clash]:
    """Find what in a text can't be true together.

    Parameters
    ----------
    claims : sequence of Claim
        Of one text.
    case : Case or None
        The recording; its median RR interval is what a pause is compared with where the text names none.

    Returns
    -------
    list of Clash

    Examples
    --------
    >>> from twelvelead.interpret.claims import find_claims
    >>> [clash.why for clash in clashes(find_claims("Heart rate 60 bpm. Mean RR interval 750 ms."))]
    ['a rate of 60 bpm is an RR interval of 1000 ms, not of 750 ms']
    """
    values = _values(claims)
    found = [*_rate_and_rr(values), *_qt(values), *_qtc(values), *_axis(claims), *_limb_leads(claims)]
    return found + list(_pause(claims, values, case))


def _values(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    values: dict[str, list[Claim]] = {}
    for claim in claims:
        exact = claim.kind == "number" and claim.comparator == "=" and not claim.negated and claim.beat is None
        if exact and claim.low == claim.high:
            values.setdefault(f"{claim.subject} {claim.unit}", []).append(claim)
    return values


def _rates(values: dict[str, list[Claim]]) -> list[Claim]:
    return [claim for claim in values.get("rate 1/min", []) if claim.low > 0]


def _rr(values: dict[str, list[Claim]]) -> list[Claim]:
    return [claim for claim in values.get("rr ms", []) if not claim.qualifier and claim.low > 0]


def _rate_and_rr(values: dict[str, list[Claim]]) -> Iterator[Clash]:
    for rate in _rates(values)[:1]:
        for rr in _rr(values):
            expected = 60000.0 / rate.low
            if abs(rr.low - expected) > RATE_SHARE * expected + rr.step:
                yield Clash(
                    rr.start,
                    rr.end,
                    f"a rate of {rate.low:g} bpm is an RR interval of {expected:.0f} ms, not of {rr.low:g} ms",
                )


def _qt(values: dict[str, list[Claim]]) -> Iterator[Clash]:
    rr = _usual_rr(values)
    for qt in values.get("qt ms", []):
        if rr is not None and qt.low >= rr:
            yield Clash(qt.start, qt.end, f"a QT of {qt.low:g} ms does not fit into an RR interval of {rr:.0f} ms")
        for qrs in values.get("qrs ms", [])[:1]:
            if not qrs.leads and qrs.low >= qt.low:
                yield Clash(qt.start, qt.end, f"a QT of {qt.low:g} ms does not hold a QRS of {qrs.low:g} ms")


def _usual_rr(values: dict[str, list[Claim]]) -> float | None:
    if _rr(values):
        return _rr(values)[0].low
    return 60000.0 / _rates(values)[0].low if _rates(values) else None


def corrected(qt_ms: float, rr_s: float) -> dict[str, float]:
    """Correct a QT interval for the rate, ms, by four formulas.

    Examples
    --------
    >>> {name: round(value) for name, value in corrected(400, 0.64).items()}
    {'bazett': 500, 'fridericia': 464, 'framingham': 455, 'hodges': 459}
    """
    return {
        "bazett": qt_ms / math.sqrt(rr_s),
        "fridericia": qt_ms / rr_s ** (1 / 3),
        "framingham": qt_ms + 154.0 * (1.0 - rr_s),
        "hodges": qt_ms + 1.75 * (60.0 / rr_s - 60.0),
    }


def _qtc(values: dict[str, list[Claim]]) -> Iterator[Clash]:
    rr = _usual_rr(values)
    qts = values.get("qt ms", [])
    if rr is None or not qts:
        return
    for claim in values.get("qtc ms", []):
        by_formula = corrected(qts[0].low, rr / 1000.0)
        allowed = [by_formula[claim.qualifier]] if claim.qualifier else list(by_formula.values())
        if min(abs(claim.low - value) for value in allowed) > QTC_MS + claim.step:
            said = f"by {claim.qualifier.capitalize()}" if claim.qualifier else "by any formula"
            yield Clash(
                claim.start, claim.end,
                f"a QT of {qts[0].low:g} ms at an RR interval of {rr:.0f} ms is no QTc of {claim.low:g} ms {said}",
            )  # fmt: skip


def _axis(claims: Sequence[Claim]) -> Iterator[Clash]:
    """Compare an axis with the signs of QRS in I and aVF that the text tells."""
    signs = {
        lead: (1.0 if claim.subject == "qrs upright" else -1.0) * (-1.0 if claim.negated else 1.0)
        for claim in claims if claim.kind == "word" and claim.subject in ("qrs upright", "qrs inverted")
        for lead in claim.leads
    }  # fmt: skip
    for claim in claims:
        if claim.kind == "number" and claim.subject == "axis" and claim.unit == "deg" and claim.low == claim.high:
            angle = math.radians(claim.low)
            for lead, size in (("I", math.cos(angle)), ("aVF", math.sin(angle))):
                if lead in signs and size * signs[lead] < -0.17:  # 10 degrees from where it changes sign
                    yield Clash(claim.start, claim.end, f"an axis of {claim.low:g}° has the other sign in {lead}")


def _limb_leads(claims: Sequence[Claim]) -> Iterator[Clash]:
    """Add I and III to II, of the ST level, which is of one moment in all leads."""
    levels = {
        claim.leads[0]: claim for claim in claims
        if claim.kind == "number" and claim.subject == "st" and claim.qualifier in ("", "j") and claim.unit == "mV"
        and len(claim.leads) == 1 and claim.low == claim.high
    }  # fmt: skip
    if {"I", "II", "III"} <= levels.keys():
        one, two, three = (levels[lead].low for lead in ("I", "II", "III"))
        if abs(one + three - two) > LIMB_MV:
            where = levels["II"]
            yield Clash(
                where.start,
                where.end,
                f"ST levels of I ({one:g} mV) and III ({three:g} mV) add up to {one + three:.2f} mV in II",
            )


def _pause(claims: Sequence[Claim], values: dict[str, list[Claim]], case: Case | None) -> Iterator[Clash]:
    usual = _usual_rr(values)
    said = "the text's own rate"
    if usual is None and case is not None and math.isfinite(median_rr_ms(case)):
        usual, said = median_rr_ms(case), "the median of this recording"
    if usual is None and _plain_sinus(claims):
        usual, said = FASTEST_SINUS_MS, "sinus rhythm of at most 100 bpm"
    for claim in values.get("pause ms", []):
        if usual is not None and claim.low <= PAUSE * usual:
            yield Clash(
                claim.start, claim.end,
                f"{claim.low:g} ms is no pause beside RR intervals of {usual:.0f} ms ({said}): a pause is longer than "
                f"{PAUSE * usual:.0f} ms",
            )  # fmt: skip


def _plain_sinus(claims: Sequence[Claim]) -> bool:
    said = {claim.subject for claim in claims if claim.kind == "diagnosis" and not claim.negated}
    return bool(said & {"sinus", "normal_sinus", "sinus_bradycardia"}) and "sinus_tachycardia" not in said
