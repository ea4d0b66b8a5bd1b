"""What each what-if does to the risk and to the use of a release, and which of them no other one beats in both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.beats import beat_units
from twelvelead.privacy.comparison import Comparison, compare
from twelvelead.privacy.estimate import Estimate, Figure, difference, estimate
from twelvelead.privacy.features import feature_units
from twelvelead.privacy.identification import rank_share
from twelvelead.privacy.lookup import Pairing, look_up
from twelvelead.privacy.people import Release, Sample
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.units import Units
from twelvelead.privacy.utility import Reading, findings_kept, measurement_errors, read_numbers, read_signals
from twelvelead.privacy.verification import eer
from twelvelead.privacy.what_if import AS_IT_IS, WhatIf
from twelvelead.terms import Error, InputError
from twelvelead.terms.audits import WHAT_IF_ATTACKS, WHAT_IF_ERRORS, WHAT_IFS
from twelvelead.validate import Bootstrap

Fitted = Literal["refitted", "unprepared"]

NO_ATTACK = NotEstimable("nobody could attack")
FIGURES: dict[str, Figure] = {"rank_1": rank_share(1), "eer": eer}
MOST_READ = 200
"""People whose first recordings are measured and judged for the use of a release."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What attackers can see of a release: beats, rows of measurements, or only one of them."""

    beats: Units | None
    features: Units | None

    def of(self, attacker: Attacker) -> Units | None:
        """Return what an attacker sees, if it is given away."""
        return self.beats if attacker.view == "beats" else self.features


@dataclass(frozen=True, eq=False)
class Original:
    """The release as recorded, and what the what-ifs are compared with.

    Parameters
    ----------
    release : Release
        As recorded.
    shown : Shown
        Its beats, and its measurements with one row per recording.
    pairing : Pairing
        Who is known from where.
    reading : Reading
        Of the first recordings.
    read : tuple of Sample
        These recordings.
    """

    release: Release
    shown: Shown
    pairing: Pairing
    reading: Reading
    read: tuple[Sample, ...]


@dataclass(frozen=True, eq=False)
class Tried:
    """What came of one what-if.

    Parameters
    ----------
    what_if : WhatIf
        What was done.
    attacks : mapping of (attacker's key, `refitted` or `unprepared`) to comparisons or NotEstimable
        Who attacked.
    kept : Estimate or NotEstimable
        Cohen's κ of the findings.
    errors : DataFrame
        From `measurement_errors`.
    why_not : str
        Why it could not be tried; empty if it could.
    """

    what_if: WhatIf
    attacks: Mapping[tuple[str, str], Sequence[Comparison] | NotEstimable]
    kept: Estimate | NotEstimable
    errors: pl.DataFrame
    why_not: str = ""


def prepare(release: Release, shown: Shown, pairing: Pairing) -> Original:
    """Measure and judge first recordings, up to `MOST_READ` of them."""
    read = tuple(s for s in release.samples if s.recording.id in pairing.first)[:MOST_READ]
    return Original(release, shown, pairing, read_signals(read), read)


def try_out(original: Original, what_if: WhatIf, attackers: Sequence[Attacker], *, bootstrap: Bootstrap) -> Tried:
    """Apply one what-if, let attackers loose on it, and see what is left.

    Parameters
    ----------
    original : Original
        From `prepare`.
    what_if : WhatIf
        What is done.
    attackers : sequence of Attacker
        Each is refitted to what was done, and tried unprepared, as it had learnt from the release as recorded.
    bootstrap : Bootstrap
        How people are drawn.

    Returns
    -------
    Tried
        With `why_not` where it can't be applied.
    """
    try:
        shown, reading = _apply(original, what_if)
    except Error as error:
        why = NotEstimable(str(error))
        return Tried(what_if, {}, why, measurement_errors(original.reading, Reading({}, {}, {})).clear(), str(error))
    attacks = {}
    for attacker in attackers:
        before, after = original.shown.of(attacker), shown.of(attacker)
        if before is None or after is None:
            continue
        knows = {"refitted": after, "unprepared": _as_shown(before, after)}
        for fitted, known in knows.items():
            trials = look_up(known, after, original.pairing, seed=bootstrap.seed)
            attacks[attacker.key, fitted] = compare(attacker, trials, seed=bootstrap.seed)
    kept = findings_kept(original.reading, reading, bootstrap=bootstrap)
    return Tried(what_if, attacks, kept, measurement_errors(original.reading, reading))


def _apply(original: Original, what_if: WhatIf) -> tuple[Shown, Reading]:
    if what_if.key == AS_IT_IS:
        return original.shown, original.reading
    if what_if.numbers is not None and original.shown.features is not None:
        numbers = what_if.numbers(original.shown.features)
        return Shown(None, numbers), read_numbers(original.reading, numbers)
    if what_if.signals is None:
        msg = f"what is given away must be signals or numbers; got neither in {what_if.key}. Declare one."
        raise InputError(msg)
    absent = [lead for lead in what_if.leads if any(lead not in s.recording.leads for s in original.release.samples)]
    if absent:
        msg = f"the recordings must have {', '.join(what_if.leads)}; got none named {', '.join(absent)}. Skip it."
        raise InputError(msg)
    release = what_if.signals(original.release)
    wanted = {s.recording.id for s in original.read}
    reading = read_signals([s for s in release.samples if s.recording.id in wanted])
    return Shown(beat_units(release), _measured(release)), reading


def _measured(release: Release) -> Units | None:
    """Measure each recording; None where no recording can be."""
    try:
        return feature_units(release)
    except InputError:
        return None


def _as_shown(before: Units, after: Units) -> Units:
    """Restrict what was recorded to the leads or measurements that are given away."""
    if before.names == after.names:
        return before
    place = {name: k for k, name in enumerate(before.names)}
    return replace(before, x=before.x[:, [place[name] for name in after.names]], names=after.names)


def tabulate_attacks(tried: Sequence[Tried], *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Return every attack on every what-if, see `terms.WHAT_IF_ATTACKS`."""
    rows = []
    for one in tried:
        for (attacker, fitted), compared in one.attacks.items():
            for name, figure in FIGURES.items():
                found = estimate(figure, compared, bootstrap=bootstrap, share=name == "rank_1")
                rows.append(
                    {"what_if": one.what_if.key, "attacker": attacker, "fitted": fitted, "figure": name}
                    | write_estimate(found, level=bootstrap.level)
                    | {"gallery": size_of(compared)}
                )
    return WHAT_IF_ATTACKS.select(rows)


def write_estimate(found: Estimate | NotEstimable, *, level: float) -> dict[str, Any]:
    """Write an estimate as columns of a table."""
    if isinstance(found, NotEstimable):
        nothing = dict.fromkeys(("estimate", "lower", "upper", "n_people"))
        return {**nothing, "n_people": 0, "level": level, "why_not": found.why}
    limits = {"lower": found.lower, "upper": found.upper, "n_people": found.n_people}
    return {"estimate": found.value, **limits, "level": level, "why_not": None}


def size_of(compared: Sequence[Comparison] | NotEstimable) -> int:
    """Return how many people are enrolled, in the smallest gallery of several."""
    return 0 if isinstance(compared, NotEstimable) else min(len(c.person) for c in compared)


Best = tuple[tuple[str, str], Estimate | NotEstimable]
"""An attack, by attacker and fitted, and its share of people named rightly."""


def strongest(
    attacks: Mapping[tuple[str, str], Sequence[Comparison] | NotEstimable],
    *,
    bootstrap: Bootstrap,
    fitted: Fitted | None = None,
) -> Best:
    """Return which attack names most people rightly; the first of several that do.

    Parameters
    ----------
    attacks : mapping
        See `Tried`.
    bootstrap : Bootstrap
        How people are drawn.
    fitted : str or None
        Of which attackers; None: of all. An attacker with clean recordings of those who are looked for may well do
        better with these than with ones that are spoilt, too.
    """
    best: Best = (("", ""), NO_ATTACK)
    for key, compared in attacks.items():
        if fitted in {None, key[1]}:
            found = estimate(rank_share(1), compared, bootstrap=bootstrap)
            if isinstance(found, Estimate) and (isinstance(best[1], NotEstimable) or found.value > best[1].value):
                best = key, found
    return best


def tabulate_what_ifs(tried: Sequence[Tried], *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Return one row per what-if: the strongest attack, what it is good for, and whether another one beats it.

    Returns
    -------
    DataFrame, see `terms.WHAT_IFS`
        The first of `tried` is what all are compared with, on the same people.
    """
    if not tried:
        return WHAT_IFS.empty()
    rows = [_row(one, tried[0], bootstrap=bootstrap) for one in tried]
    points = [(row["risk"], row["kept"]) for row in rows]
    return WHAT_IFS.select([row | {"pareto": flag} for row, flag in zip(rows, pareto(points), strict=True)])


def _row(one: Tried, first: Tried, *, bootstrap: Bootstrap) -> dict[str, Any]:
    best, risk = strongest(one.attacks, bootstrap=bootstrap)
    before = first.attacks.get(strongest(first.attacks, bootstrap=bootstrap)[0], NO_ATTACK)
    after = one.attacks.get(best, NO_ATTACK)
    change: Estimate | NotEstimable = NO_ATTACK
    if not isinstance(before, NotEstimable) and not isinstance(after, NotEstimable):
        change = difference(rank_share(1), before, after, bootstrap=bootstrap)
    return {
        "what_if": one.what_if.key,
        "title": one.what_if.title,
        "gives": "numbers" if one.what_if.signals is None else "signals",
        "parameters": json.dumps(dict(one.what_if.parameters), sort_keys=True),
        "attacker": best[0],
        "fitted": best[1],
        **_columns("risk", risk),
        **_columns("refitted", strongest(one.attacks, bootstrap=bootstrap, fitted="refitted")[1]),
        **_columns("unprepared", strongest(one.attacks, bootstrap=bootstrap, fitted="unprepared")[1]),
        **_columns("change", change),
        **_columns("kept", one.kept),
        "n_people": risk.n_people if isinstance(risk, Estimate) else 0,
        "gallery": size_of(after),
        "why_not": one.why_not or None,
    }


def _columns(name: str, found: Estimate | NotEstimable) -> dict[str, float | None]:
    if isinstance(found, NotEstimable):
        return {name: None, f"{name}_lower": None, f"{name}_upper": None}
    return {name: found.value, f"{name}_lower": found.lower, f"{name}_upper": found.upper}


def pareto(points: Sequence[tuple[float | None, float | None]]) -> list[bool]:
    """Say which points no other one beats: none has as little risk and as much use, and more of either.

    Parameters
    ----------
    points : sequence of (risk, use)
        None where there is no figure; such a point is never among the best.

    Examples
    --------
    >>> pareto([(0.9, 1.0), (0.9, 0.8), (0.1, 0.5), (None, 1.0)])
    [True, False, True, False]
    """
    known = [(risk, use) for risk, use in points if risk is not None and use is not None]

    def beaten(risk: float, use: float) -> bool:
        return any(r <= risk and u >= use and (r < risk or u > use) for r, u in known)

    return [risk is not None and use is not None and not beaten(risk, use) for risk, use in points]


def tabulate_errors(tried: Sequence[Tried]) -> pl.DataFrame:
    """Return the errors of all what-ifs, see `terms.WHAT_IF_ERRORS`."""
    parts = [one.errors.select(pl.lit(one.what_if.key).alias("what_if"), pl.all()) for one in tried]
    return WHAT_IF_ERRORS.select(pl.concat(parts)) if parts else WHAT_IF_ERRORS.empty()
