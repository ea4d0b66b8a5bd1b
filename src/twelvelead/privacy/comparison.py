"""An attack carried out: the score of everyone who was looked for against everyone who was known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.protocols import NotEstimable, Trial, Trials
from twelvelead.privacy.units import UNKNOWN, Flags, Places
from twelvelead.terms import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores of one trial.

    Parameters
    ----------
    scores : ndarray, shape (n_probes, n_people)
        Larger is more alike.
    probe, person : ndarray of int, shape (n_probes,) and (n_people,)
        Whose they truly are: places in `subject_ids`. A probe whose person is not among `person` is unknown.
    group : ndarray of int, shape (n_probes,)
        Number of what was looked for, as in `Units.group`.
    fair : ndarray of bool, shape (n_probes, n_people)
        Which pairs count.
    subject_ids : tuple of str
        All people of the release.
    probe_device, person_device : ndarray of int, shape (n_probes,) and (n_people,)
        Device; -1 where unknown or where there are several.
    """

    scores: Floats
    probe: Places
    person: Places
    group: Places
    fair: Flags
    subject_ids: tuple[str, ...]
    probe_device: Places
    person_device: Places

    @property
    def genuine(self) -> Flags:
        """Which pairs are of one person; shape (n_probes, n_people)."""
        own: Flags = self.probe[:, None] == self.person
        return own

    @property
    def known(self) -> Flags:
        """Which probes are of somebody enrolled; shape (n_probes,)."""
        return np.isin(self.probe, self.person)

    def take(self, which: Flags) -> "Comparison":
        """Return some of the probes."""
        rows = {name: getattr(self, name)[which] for name in ("scores", "probe", "group", "fair", "probe_device")}
        return replace(self, **rows)


def compare(attacker: Attacker, trials: Trials, *, seed: int) -> tuple[Comparison, ...] | NotEstimable:
    """Let an attacker loose on the trials of a protocol.

    Parameters
    ----------
    attacker : Attacker
        Who attacks.
    trials : tuple of Trial, or NotEstimable
        From a protocol, of units as the attacker sees them.
    seed : int
        The attacker's.

    Returns
    -------
    tuple of Comparison, or NotEstimable
        One per trial.

    Raises
    ------
    InputError
        If the units are not what the attacker sees, or its scores are not finite numbers of the right shape.
    """
    return trials if isinstance(trials, NotEstimable) else tuple(_attack(attacker, t, seed=seed) for t in trials)


def _attack(attacker: Attacker, trial: Trial, *, seed: int) -> Comparison:
    if trial.probe.view != attacker.view:
        msg = f"{attacker.key} must be shown {attacker.view}; got {trial.probe.view}. Make those units."
        raise InputError(msg)
    scores = np.asarray(attacker.attack(trial.background, trial.gallery, trial.probe.blind(), seed=seed), dtype=float)
    group, first = np.unique(trial.probe.group, return_index=True)
    person = np.unique(trial.gallery.subject)
    if scores.shape != (len(group), len(person)) or not np.isfinite(scores).all():
        msg = (
            f"scores must be finite and of shape {(len(group), len(person))}; got {scores.shape} from {attacker.key}. "
        )
        msg += "Mend the attacker."
        raise InputError(msg)
    return Comparison(
        scores=scores,
        probe=trial.probe.subject[first],
        person=person,
        group=group,
        fair=np.ones(scores.shape, dtype=bool),
        subject_ids=trial.probe.subject_ids,
        probe_device=trial.probe.device[first],
        person_device=_only_device(trial.gallery.subject, trial.gallery.device, person),
    )


def _only_device(subject: Places, device: Places, people: Places) -> Places:
    """Return the device of each person; UNKNOWN where there are several."""
    of_people = (np.unique(device[subject == person]) for person in people)
    return np.array([found[0] if len(found) == 1 else UNKNOWN for found in of_people])


def match_devices(comparisons: Sequence[Comparison] | NotEstimable) -> tuple[Comparison, ...] | NotEstimable:
    """Keep, of the impostors, those recorded by the device of the probe.

    Two devices differ in gain, band and noise: an impostor of another device is turned away for that alone.

    Parameters
    ----------
    comparisons : sequence of Comparison, or NotEstimable
        From `compare`.

    Returns
    -------
    tuple of Comparison, or NotEstimable
        Without the probes whose device is not known, or whose impostors all have another.
    """
    if isinstance(comparisons, NotEstimable):
        return comparisons
    matched = []
    for c in comparisons:
        same = (c.probe_device[:, None] == c.person_device) & (c.probe_device[:, None] != UNKNOWN)
        fair = c.fair & (same | c.genuine)
        matched.append(replace(c, fair=fair).take((fair & ~c.genuine).any(axis=1)))
    if not any(len(c.probe) for c in matched):
        return NotEstimable("no probe has an impostor of the same, known device")
    return tuple(c for c in matched if len(c.probe))
