"""The audit of a release: every attacker by every protocol, sex and age, rounded rows, and every what-if."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.audit_segments import tabulate_segments
from twelvelead.privacy.audit_traits import tabulate_traits, tabulate_uniqueness
from twelvelead.privacy.beats import beat_units
from twelvelead.privacy.comparison import Comparison, compare, match_devices
from twelvelead.privacy.estimate import Figure, estimate
from twelvelead.privacy.features import feature_units
from twelvelead.privacy.frontier import (
    NO_ATTACK,
    Shown,
    Tried,
    prepare,
    size_of,
    strongest,
    tabulate_attacks,
    tabulate_errors,
    tabulate_what_ifs,
    try_out,
    write_estimate,
)
from twelvelead.privacy.identification import cmc, gallery_curve, rank_share, subject_risk
from twelvelead.privacy.likelihood_ratio import cllr, linkability, min_cllr
from twelvelead.privacy.lookup import look_up, pair
from twelvelead.privacy.open_set import at_even_odds, dir_at_fpir
from twelvelead.privacy.people import Release
from twelvelead.privacy.protocols import PROTOCOLS, NotEstimable, Protocol, Trials
from twelvelead.privacy.units import Units
from twelvelead.privacy.verification import eer, tar_at_far
from twelvelead.privacy.what_if import WhatIf
from twelvelead.terms.audits import (
    AUDIT_ATTACKS,
    AUDIT_CMC,
    AUDIT_GALLERY,
    AUDIT_SUBJECTS,
)
from twelvelead.validate import Bootstrap

LOOK_UP = Protocol(
    "second_recording",
    "Second recording, among everybody's first",
    "What tells people apart is learnt from the recordings of others. The what-ifs are judged by it.",
    leaks=False,
    trials=look_up,
)
"""The protocol of the verdict; see `lookup.look_up`."""

WINDOW_S = 5.0
"""Length of the windows of which each is a row of measurements, where several rows per recording are needed."""

FIGURES: dict[str, Figure] = {"rank_1": rank_share(1), "rank_5": rank_share(5), "eer": eer}
MORE: dict[str, Figure] = {
    "tar_at_far_0.01": tar_at_far(0.01),
    "tar_at_far_0.001": tar_at_far(0.001),
    "cllr": cllr,
    "min_cllr": min_cllr,
    "linkability": linkability,
}
"""Beside them, of the protocol of the verdict."""
OPEN_SET: dict[str, Figure] = {
    "dir_at_fpir_0.01": dir_at_fpir(0.01),
    "dir_at_fpir_0.1": dir_at_fpir(0.1),
    "unknown_accepted": at_even_odds("unknown accepted"),
    "known_rejected": at_even_odds("known rejected"),
    "known_mistaken": at_even_odds("known mistaken"),
}

_NOT_SHARES = {"eer", "cllr", "min_cllr", "linkability"}

Progress = Callable[[str, int, int], None]
Compared = Sequence[Comparison] | NotEstimable


@dataclass(frozen=True)
class Facts:
    """What the figures are about.

    Parameters
    ----------
    n_people, n_recordings : int
        In the release.
    n_twice, n_days : int
        People with two recordings, and with recordings of two days.
    devices : tuple of str
        Known devices.
    n_without_device : int
        Recordings whose device is not known.
    days_apart : (float, int) or None
        Median and largest number of days between first and second recording, where both are known.
    unmeasured : tuple of (str, str)
        Recordings in which no beat was found, or nothing could be measured, and why.
    attackers : tuple of (str, str)
        Key and title of those who were tried.
    """

    n_people: int
    n_recordings: int
    n_twice: int
    n_days: int
    devices: tuple[str, ...]
    n_without_device: int
    days_apart: tuple[float, int] | None
    unmeasured: tuple[tuple[str, str], ...]
    attackers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Audited:
    """What an audit found.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By the name of their contract in `terms.audits`.
    facts : Facts
        What they are about.
    strongest : str
        Key of the attacker of the verdict; empty if none could attack.
    """

    tables: Mapping[str, pl.DataFrame]
    facts: Facts
    strongest: str


def _silent(_: str, __: int, ___: int) -> None:
    return


def audit(
    release: Release,
    *,
    attackers: Sequence[Attacker],
    what_ifs: Sequence[WhatIf],
    bootstrap: Bootstrap,
    progress: Progress = _silent,
) -> Audited:
    """Audit a release.

    Parameters
    ----------
    release : Release
        As it would be given away.
    attackers : sequence of Attacker
        Who attacks.
    what_ifs : sequence of WhatIf
        What is tried, `AS_IT_IS` first.
    bootstrap : Bootstrap
        How people are drawn.
    progress : callable
        Told the stage, and how much of how many of it is done.

    Returns
    -------
    Audited

    Raises
    ------
    InputError
        If no recording can be measured, or they share no lead.
    """
    beats, rows = beat_units(release), feature_units(release)
    windows = feature_units(release, window_s=WINDOW_S)
    progress("measuring", 1, 1)
    attacks = list(_attack_all(Shown(beats, windows), attackers, bootstrap=bootstrap, progress=progress))
    tried = _try_all(release, Shown(beats, rows), attackers, what_ifs, bootstrap=bootstrap, progress=progress)
    best = ""
    compared: Compared = NO_ATTACK
    if tried:
        best = strongest(tried[0].attacks, bootstrap=bootstrap, fitted="refitted")[0][0]
        compared = tried[0].attacks.get((best, "refitted"), NO_ATTACK)
        attacks += _verdict_rows(tried[0], best, bootstrap=bootstrap)
    tables = {
        "attacks": AUDIT_ATTACKS.select(attacks),
        "traits": tabulate_traits(Shown(beats, windows), bootstrap=bootstrap),
        "uniqueness": tabulate_uniqueness(rows, bootstrap=bootstrap),
        "segments": tabulate_segments(release, beats, bootstrap=bootstrap),
        **_of_strongest(best, compared),
        "what_if_attacks": tabulate_attacks(tried, bootstrap=bootstrap),
        "what_ifs": tabulate_what_ifs(tried, bootstrap=bootstrap),
        "what_if_errors": tabulate_errors(tried),
    }
    progress("traits", 1, 1)
    return Audited(tables, _facts(release, beats, rows, attackers), best)


def _try_all(
    release: Release,
    shown: Shown,
    attackers: Sequence[Attacker],
    what_ifs: Sequence[WhatIf],
    *,
    bootstrap: Bootstrap,
    progress: Progress,
) -> list[Tried]:
    """Try every what-if; none where too few people have two recordings."""
    pairing = pair(shown.beats) if shown.beats is not None else NO_ATTACK
    if isinstance(pairing, NotEstimable):
        return []
    original = prepare(release, shown, pairing)
    tried = []
    for done, what_if in enumerate(what_ifs, 1):
        tried.append(try_out(original, what_if, attackers, bootstrap=bootstrap))
        progress("what-ifs", done, len(what_ifs))
    return tried


def _attack_all(
    shown: Shown, attackers: Sequence[Attacker], *, bootstrap: Bootstrap, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Let every attacker loose by every protocol; by those that leak, only who looks at single beats."""
    for done, protocol in enumerate(PROTOCOLS.values(), 1):
        for attacker in attackers:
            units = shown.of(attacker)
            if units is None or (protocol.leaks and attacker.view != "beats"):
                continue
            trials: Trials = protocol.trials(units, seed=bootstrap.seed)
            compared = compare(attacker, trials, seed=bootstrap.seed)
            figures = OPEN_SET if protocol.key == "open_set" else FIGURES
            yield from _rows(protocol, attacker.key, compared, figures, bootstrap=bootstrap)
        progress("attacking", done, len(PROTOCOLS))


def _rows(
    protocol: Protocol, attacker: str, compared: Compared, figures: Mapping[str, Figure], *, bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    about = {"protocol": protocol.key, "attacker": attacker, "gallery": size_of(compared), "leaks": protocol.leaks}
    found = {
        name: estimate(
            figure, compared, bootstrap=bootstrap, share=name.removeprefix("same_device_") not in _NOT_SHARES
        )
        for name, figure in figures.items()
    }
    return [about | {"figure": name} | write_estimate(one, level=bootstrap.level) for name, one in found.items()]


def _verdict_rows(as_it_is: Tried, best: str, *, bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """Return the rows of the protocol of the verdict; of the strongest attacker more than of the others."""
    rows = []
    for (attacker, fitted), compared in as_it_is.attacks.items():
        if fitted == "refitted":
            figures = FIGURES | MORE if attacker == best else FIGURES
            rows += _rows(LOOK_UP, attacker, compared, figures, bootstrap=bootstrap)
            matched = match_devices(compared)
            same = {f"same_device_{name}": FIGURES[name] for name in ("rank_1", "eer")}
            rows += _rows(LOOK_UP, attacker, matched, same, bootstrap=bootstrap)
    return rows


def _of_strongest(best: str, compared: Compared) -> dict[str, pl.DataFrame]:
    """Return what is told of the strongest attack only: each person's risk, the CMC, and other galleries."""
    if isinstance(compared, NotEstimable):
        return {"subjects": AUDIT_SUBJECTS.empty(), "cmc": AUDIT_CMC.empty(), "gallery": AUDIT_GALLERY.empty()}
    n = size_of(compared)
    sizes = sorted({size for size in (2, 5, 10, 20, 50, 100, 1000, 10_000, 100_000) if size < n} | {n, 10 * n, 100 * n})
    risk = subject_risk(compared).with_columns(protocol=pl.lit(LOOK_UP.key), attacker=pl.lit(best))
    return {
        "subjects": AUDIT_SUBJECTS.select(risk),
        "cmc": AUDIT_CMC.select(cmc(compared)),
        "gallery": AUDIT_GALLERY.select(gallery_curve(compared, sizes=sizes)),
    }


def _facts(release: Release, beats: Units, rows: Units, attackers: Sequence[Attacker]) -> Facts:
    people: dict[str, list[int | None]] = {}
    for sample in release.samples:
        people.setdefault(sample.subject_id, []).append(None if sample.day is None else sample.day.toordinal())
    days = [sorted(day for day in of if day is not None) for of in people.values()]
    apart = [of[1] - of[0] for of in days if len(of) > 1]
    lost = dict(beats.unmeasured) | dict(rows.unmeasured)
    return Facts(
        n_people=len(people),
        n_recordings=len(release.samples),
        n_twice=sum(len(of) > 1 for of in people.values()),
        n_days=sum(len(set(of)) > 1 for of in days),
        devices=beats.devices,
        n_without_device=sum(sample.device is None for sample in release.samples),
        days_apart=(float(np.median(apart)), max(apart)) if apart else None,
        unmeasured=tuple(lost.items()),
        attackers=tuple((attacker.key, attacker.title) for attacker in attackers),
    )
