"""Simulated people of whom it is known whether, and by which wave, they can be told apart. Always marked as simulated.

The audit's own test: where nobody has a signature, no attacker may be better than chance.
"""

from typing import Any, Literal

import numpy as np

from twelvelead.privacy.people import Release, Sample
from twelvelead.simulate import SITE_A, hospital, recording

Wave = Literal["p", "qrs", "t"]

_SIZES: dict[str, tuple[str, float, float]] = {
    "p": ("p_size_mv", 0.05, 0.20),
    "qrs": ("qrs_size_mv", 0.7, 2.2),
    "t": ("t_size_mv", 0.15, 0.75),
}
"""Of each wave, the column of the truth that says how tall it is, and between which limits people may differ, mV."""

_TURNS: dict[str, tuple[str, float, float]] = {
    "p": ("p_rotation_deg", 0.0, 90.0),
    "qrs": ("qrs_rotation_deg", -40.0, 100.0),
    "t": ("t_rotation_deg", -30.0, 110.0),
}
"""The same of where it points to."""

_FORWARD: dict[str, tuple[str, float, float]] = {"qrs": ("qrs_posterior", 0.0, 1.0), "t": ("t_anterior", 0.0, 0.8)}
"""The same of how far it points forward or backward, in its own size."""


def simulated_people(n_people: int, n_recordings: int, *, seed: int, signature: Wave | None = None) -> Release:
    """Simulate recordings of people who have no signature, or one in one wave.

    Parameters
    ----------
    n_people, n_recordings : int
        People, and recordings of each.
    seed : int
        Of everything.
    signature : str or None
        `p`, `qrs` or `t`: each person has a size and a direction of this wave that all recordings share. None: nobody
        has anything.

    Returns
    -------
    Release
        Recordings in sinus rhythm, 10 s, 12 leads. Age and sex are drawn by lot for each person, and no recording
        knows of them.

    Notes
    -----
    Every recording is of another patient of one simulated hospital, dealt to the people by lot. Two recordings of one
    person are therefore as unlike as those of two people, but for the signature.
    """
    rng = np.random.default_rng(seed)
    rows = _sinus_rows(n_people * n_recordings, seed=seed)
    rows = [rows[k] for k in rng.permutation(len(rows))]
    samples = []
    for person in range(n_people):
        own = _draw_signature(signature, rng)
        age, sex = float(rng.integers(20, 80)), str(rng.choice(["female", "male"]))
        for number in range(n_recordings):
            row = rows[person * n_recordings + number] | own
            row["recording_id"] = f"simulated-{person:03d}-{number}"
            name = f"simulated-{person:03d}"
            samples.append(Sample(recording(row, site=SITE_A), name, None, SITE_A.name, age, sex))
    return Release(tuple(samples), f"simulated, {'no signature' if signature is None else f'signature in {signature}'}")


def _sinus_rows(n: int, *, seed: int) -> list[dict[str, Any]]:
    """Return the truth of the first recordings of n patients in sinus rhythm."""
    n_patients = 2 * n
    while True:
        truth = hospital(n_patients, site=SITE_A, seed=seed).truth
        rows = truth.unique("patient_id", keep="first", maintain_order=True)
        sinus = rows.filter(rows["rhythm"] != "af")
        if sinus.height >= n:
            return list(sinus.head(n).iter_rows(named=True))
        n_patients *= 2


def _draw_signature(wave: Wave | None, rng: np.random.Generator) -> dict[str, float]:
    if wave is None:
        return {}
    drawn = [table[wave] for table in (_SIZES, _TURNS, _FORWARD) if wave in table]
    return {column: float(rng.uniform(low, high)) for column, low, high in drawn}
