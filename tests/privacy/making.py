"""Comparisons and units made by hand."""

import numpy as np

from twelvelead.privacy import Comparison, Units


def comparison(scores, probe, person, *, group=None, probe_device=None, person_device=None):
    """Make a comparison; devices are unknown unless given."""
    scores = np.asarray(scores, dtype=float)
    n, m = scores.shape
    return Comparison(
        scores=scores,
        probe=np.asarray(probe),
        person=np.asarray(person),
        group=np.arange(n) if group is None else np.asarray(group),
        fair=np.ones((n, m), dtype=bool),
        subject_ids=tuple(f"s{k:02d}" for k in range(max(*probe, *person) + 1)),
        probe_device=np.full(n, -1) if probe_device is None else np.asarray(probe_device),
        person_device=np.full(m, -1) if person_device is None else np.asarray(person_device),
    )


def random_comparison(rng, n=20, *, shift=1.0, step=None):
    """Make a comparison of n people, each looked for once; scores rounded to steps tie."""
    scores = rng.standard_normal((n, n)) + shift * np.eye(n)
    return comparison(scores if step is None else np.round(scores / step) * step, range(n), range(n))


def feature_rows(x, subject, *, order=None, day=None, device=None, female=None, names=None, n_devices=0):
    """Make units of measurements, each row a recording of its own."""
    x = np.asarray(x, dtype=np.float32)
    n = len(x)
    subject = np.asarray(subject)
    if order is None:
        order = [(subject[:k] == subject[k]).sum() for k in range(n)]

    def whole(values, default=-1):
        return np.full(n, default) if values is None else np.asarray(values)

    return Units(
        x=x,
        names=names or tuple(f"m{k}" for k in range(x.shape[1])),
        recording=np.arange(n),
        subject=subject,
        group=np.arange(n),
        at_s=np.zeros(n),
        order=np.asarray(order),
        day=whole(day),
        device=whole(device),
        female=whole(female),
        age_years=np.full(n, np.nan),
        recording_ids=tuple(f"r{k}" for k in range(n)),
        subject_ids=tuple(f"s{k:02d}" for k in range(subject.max() + 1)),
        devices=tuple(f"d{k}" for k in range(n_devices)),
    )
