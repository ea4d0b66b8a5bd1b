"""What could be done to a release before it is given away, each with its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twelvelead.privacy.differential_privacy import RANGES, add_gaussian, add_laplace
from twelvelead.privacy.k_same import k_same
from twelvelead.privacy.people import Release, Transform
from twelvelead.privacy.transforms import add_noise, resample_to
from twelvelead.privacy.transforms_average import average_beats
from twelvelead.privacy.transforms_numbers import (
    GROUPS,
    PRINTED,
    NumbersTransform,
    keep_measurements,
    round_measurements,
    steps_of,
)
from twelvelead.privacy.transforms_signal import keep_leads, low_pass, quantise
from twelvelead.privacy.transforms_time import shuffle_beats, warp_time
from twelvelead.privacy.units import Units

Value = float | str

DELTA = 1e-5

AS_IT_IS = "as_it_is"
"""Key of what changes nothing."""


@dataclass(frozen=True)
class WhatIf:
    """Something that could be done.

    Parameters
    ----------
    key : str
        As in tables.
    title : str
        As in a report, with the parameters.
    signals : Transform or None
        What is done to the recordings, where recordings are given away.
    numbers : transform of numbers or None
        What is done to the measurements, where only these are given away.
    parameters : mapping
        What it was set to.
    leads : tuple of str
        Leads that the recordings must have for it.
    """

    key: str
    title: str
    signals: Transform | None = None
    numbers: NumbersTransform | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    leads: tuple[str, ...] = ()


def as_it_is(release: Release) -> Release:
    """Return the release unchanged."""
    return release


def what_ifs(*, seed: int, n_people: int) -> tuple[WhatIf, ...]:
    """Return everything that is tried, mildest first within each kind; `AS_IT_IS` leads.

    Parameters
    ----------
    seed : int
        Of what is drawn.
    n_people : int
        In the release: a beat can't be shared by more.
    """
    return (WhatIf(AS_IT_IS, "as recorded", as_it_is), *_of_signals(seed, n_people), *_of_numbers(seed))


def quick(found: tuple[WhatIf, ...]) -> tuple[WhatIf, ...]:
    """Keep one of each kind."""
    kept = {
        AS_IT_IS, "resample_25", "noise_0.1", "median_beat", "k_same_5", "numbers_all", "numbers_printed_error",
        "laplace_10",
    }  # fmt: skip
    return tuple(w for w in found if w.key in kept)


def _of_signals(seed: int, n_people: int) -> list[WhatIf]:
    found = [
        WhatIf(f"resample_{hz}", f"{hz} samples per second", resample_to(hz), parameters={"hz": hz})
        for hz in (100, 50, 25)
    ]
    found += [WhatIf(f"low_pass_{hz}", f"low-pass {hz} Hz", low_pass(hz), parameters={"hz": hz}) for hz in (40, 15)]
    for mv in (0.05, 0.2):
        title = f"amplitude in steps of {mv:g} mV"
        found.append(WhatIf(f"quantise_{mv:g}", title, quantise(mv), parameters={"mv": mv}))
    for mv in (0.05, 0.1, 0.3):
        said: dict[str, Value] = {"mv": mv, "seed": seed}
        found.append(WhatIf(f"noise_{mv:g}", f"white noise of {mv:g} mV", add_noise(mv, seed=seed), parameters=said))
    for leads in (("I", "II"), ("I",)):
        key, title = f"leads_{'_'.join(leads).lower()}", f"lead {' and '.join(leads)} only"
        said = {"leads": ", ".join(leads)}
        found.append(WhatIf(key, title, keep_leads(leads), parameters=said, leads=("I", "II", "V1")))
    for share in (0.05, 0.2):
        said, title = {"share": share, "seed": seed}, f"clock wrong by up to {share:.0%}"
        found.append(WhatIf(f"warp_{share:g}", title, warp_time(share, seed=seed), parameters=said))
    found.append(WhatIf("shuffle_rr", "beats in another order", shuffle_beats(seed=seed), parameters={"seed": seed}))
    found.append(WhatIf("median_beat", "median beat only", average_beats()))
    found += [
        WhatIf(f"k_same_{k}", f"one beat shared by {k} people", k_same(k), parameters={"k": k})
        for k in (2, 5, 10)
        if k <= n_people
    ]
    return found


def _of_numbers(seed: int) -> list[WhatIf]:
    found = []
    for name, names in GROUPS.items():
        keep, key, title = keep_measurements(names), f"numbers_{name.replace(' ', '_')}", f"numbers only: {name}"
        found.append(WhatIf(key, title, numbers=keep, parameters={"group": name}))
        for to in ("resolution", "error") if name in {"all", "printed"} else ():
            rounded = _in_turn(keep, round_measurements(steps_of(names, to=to)))
            said: dict[str, Value] = {"group": name, "rounded_to": to}
            found.append(WhatIf(f"{key}_{to}", f"{title}, rounded to their {to}", numbers=rounded, parameters=said))
    ranges = {name: RANGES[name] for name in PRINTED}
    for epsilon in (100.0, 10.0, 1.0):
        said = {"epsilon": epsilon, "per": "recording", "seed": seed}
        title = f"printed numbers, Laplace noise, ε = {epsilon:g}"
        noisy = add_laplace(epsilon, ranges=ranges, seed=seed)
        found.append(WhatIf(f"laplace_{epsilon:g}", title, numbers=noisy, parameters=said))
    said = {"epsilon": 10.0, "delta": DELTA, "per": "recording", "seed": seed}
    noisy = add_gaussian(10.0, DELTA, ranges=ranges, seed=seed)
    found.append(
        WhatIf("gaussian_10", "printed numbers, Gaussian noise, ε = 10, δ = 1e-5", numbers=noisy, parameters=said)
    )
    return found


def _in_turn(first: NumbersTransform, second: NumbersTransform) -> NumbersTransform:
    def both(units: Units) -> Units:
        return second(first(units))

    return both
