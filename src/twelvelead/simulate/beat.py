"""One heartbeat as a moving dipole: waves of known onset and offset, projected on twelve leads.

Each wave is a bump that starts and ends at exactly zero, multiplied by a fixed vector (x left, y down, z back). What a
lead shows is the vector's projection, so Einthoven's and Goldberger's equations hold exactly.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import LEADS

Floats = NDArray[np.float64]

INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The leads that are recorded; the other four follow from I and II."""

_DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)

_SHARPNESS = 1.5  # exponent of the bump: steeper at its ends than a raised cosine, so that onsets can be seen
_T_SKEW = float(np.log(0.5) / np.log(0.6))  # T peaks at 60 % of its duration
_ST_SHARE = 0.3  # of the JT interval before T begins

# Start and end of the four parts of a QRS complex as shares of its duration; the same in every morphology, so that
# amplitudes of many recordings come from one matrix product.
_QRS_PARTS = np.array([[0.0, 0.34], [0.12, 0.66], [0.40, 0.84], [0.62, 1.0]])
_P_PARTS = np.array([[0.0, 0.70], [0.30, 1.0]])


class Wave(NamedTuple):
    """One wave in all beats that have it.

    `start` and `duration` (s, one per beat; `start` counts from the onset of that beat's QRS complex), `vector` (mV).
    """

    kind: str
    vector: Floats
    start: Floats
    duration: Floats
    skew: float


def project(dipole: NDArray[Any]) -> NDArray[Any]:
    """Return what the twelve leads show of a cardiac dipole.

    Parameters
    ----------
    dipole : ndarray of float, shape (..., 3)
        x (left), y (down), z (back) in mV.

    Returns
    -------
    ndarray of float, shape (..., 12)
        In the order of `terms.LEADS`, in mV.

    References
    ----------
    Dower GE, Machado HB, Osborne JA. Clin Cardiol 1980;3:87-95. doi:10.1002/clc.1980.3.2.87

    Examples
    --------
    A dipole of 1 mV that points to the left:

    >>> [round(float(v), 3) for v in project(np.array([1.0, 0.0, 0.0]))[:3]]
    [0.632, 0.235, -0.397]
    """
    leads: NDArray[Any] = dipole @ LEAD_VECTORS.T
    return leads


def derive_limb_leads(independent: NDArray[Any]) -> NDArray[Any]:
    """Return all twelve leads from I, II and V1 to V6 (first axis)."""
    i, ii = independent[0], independent[1]
    limb = np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2])
    return np.concatenate([limb, independent[2:]])


LEAD_VECTORS = derive_limb_leads(_DOWER)
"""Lead vectors, shape (12, 3), in the order of `terms.LEADS`."""


def bump(u: NDArray[Any], skew: float = 1.0) -> NDArray[Any]:
    """Return a wave's shape: 0 outside 0 < u < 1, 1 at its peak.

    Parameters
    ----------
    u : ndarray of float
        Time as a share of the wave's duration.
    skew : float
        1 is symmetric; above 1 the peak is late.

    Examples
    --------
    >>> bump(np.array([-0.1, 0.0, 0.5, 1.0])).round(12).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """
    inside = np.clip(u, 0.0, 1.0)
    phase = inside if skew == 1.0 else inside**skew
    sine = np.maximum(np.sin(np.pi * phase), 0.0)
    shape: NDArray[Any] = np.where((u > 0) & (u < 1), sine * np.sqrt(sine), 0.0)
    return shape


def qrs_vectors(truth: Mapping[str, Any]) -> Floats:
    """Return the vectors of the four parts of the QRS complex: septal, main, late and terminal.

    A bundle-branch block redraws the parts: on the left no septal force and a large slow lateral one; on the right a
    terminal force to the right and front, which is the R′ of V1.

    Returns
    -------
    ndarray of float, shape (n_recordings, 4, 3)
        In mV.
    """
    size, angle, back = (
        np.atleast_1d(np.asarray(truth[name], dtype=float))
        for name in ("qrs_size_mv", "qrs_rotation_deg", "qrs_posterior")
    )
    block = np.atleast_1d(np.asarray(truth["bundle_branch_block"]))
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    zero, one = np.zeros_like(size), np.ones_like(size)
    main = np.stack([cos, sin, back], axis=-1)
    parts = np.stack(
        [
            np.stack([-0.15 * one, zero, -0.28 * one], axis=-1),
            main,
            np.stack([0.15 * cos, 0.15 * sin, 0.30 + back], axis=-1),
            np.stack([-0.16 * one, -0.12 * one, 0.18 * one], axis=-1),
        ],
        axis=1,
    )
    left = np.stack(
        [
            np.stack([0.25 * one, 0.05 * one, 0.08 * one], axis=-1),
            0.85 * main,
            np.stack([0.75 * cos, 0.75 * sin, 0.60 + back], axis=-1),
            np.stack([0.35 * cos, 0.35 * sin, 0.40 * one], axis=-1),
        ],
        axis=1,
    )
    right = parts.copy()
    right[:, 2] *= 0.4
    right[:, 3] = (-0.55, 0.05, -0.5)
    chosen = np.where((block == "left")[:, None, None], left, parts)
    chosen = np.where((block == "right")[:, None, None], right, chosen)
    vectors: Floats = chosen * size[:, None, None]
    return vectors


def t_vector(truth: Mapping[str, Any]) -> Floats:
    """Return the vector of the T wave at its peak, shape (n_recordings, 3), in mV."""
    size, angle, front = (
        np.atleast_1d(np.asarray(truth[name], dtype=float)) for name in ("t_size_mv", "t_rotation_deg", "t_anterior")
    )
    phi = np.radians(angle)
    vector: Floats = np.stack([np.cos(phi), np.sin(phi), -front], axis=-1) * size[:, None]
    return vector


def p_vectors(truth: Mapping[str, Any]) -> Floats:
    """Return the vectors of the right (forward) and left (backward) atrial part of P, shape (n_recordings, 2, 3)."""
    size, angle = (np.atleast_1d(np.asarray(truth[name], dtype=float)) for name in ("p_size_mv", "p_rotation_deg"))
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    ahead = np.stack([0.6 * cos, 0.9 * sin, np.full_like(size, -0.45)], axis=-1)
    behind = np.stack([0.9 * cos, 0.6 * sin, np.full_like(size, 0.45)], axis=-1)
    vectors: Floats = np.stack([ahead, behind], axis=1) * size[:, None, None]
    return vectors


def conducted_waves(row: Mapping[str, Any], qt: Floats) -> list[Wave]:
    """Return the waves of beats that come down the usual way.

    Parameters
    ----------
    row : mapping
        One row of the truth.
    qt : ndarray of float, shape (n_beats,)
        Each beat's QT interval in s.
    """
    each = np.ones_like(qt)
    qrs = float(row["qrs_duration_ms"]) / 1000
    waves = [
        Wave("qrs", vector, a * qrs * each, (b - a) * qrs * each, 1.0)
        for (a, b), vector in zip(_QRS_PARTS, qrs_vectors(row)[0], strict=True)
    ]
    jt = qt - qrs
    waves.append(Wave("t", t_vector(row)[0], qrs + _ST_SHARE * jt, (1 - _ST_SHARE) * jt, _T_SKEW))
    if row["pr_interval_ms"] is not None:
        pr, p = float(row["pr_interval_ms"]) / 1000, float(row["p_duration_ms"]) / 1000
        waves += [
            Wave("p", vector, (a * p - pr) * each, (b - a) * p * each, 1.0)
            for (a, b), vector in zip(_P_PARTS, p_vectors(row)[0], strict=True)
        ]
    return waves


def premature_waves(row: Mapping[str, Any], qt: Floats) -> list[Wave]:
    """Return the waves of premature ventricular beats: no P, QRS 160 ms and tall, T against QRS.

    Parameters
    ----------
    row : mapping
        One row of the truth.
    qt : ndarray of float, shape (n_beats,)
        Each beat's QT interval in s.
    """
    each, size = np.ones_like(qt), float(row["qrs_size_mv"])
    qrs = PREMATURE_QRS_S
    parts = ((0.0, 0.7, (0.5, 1.0, -0.5)), (0.3, 1.0, (0.3, 0.9, -0.3)))
    waves = [Wave("qrs", size * np.array(v), a * qrs * each, (b - a) * qrs * each, 1.0) for a, b, v in parts]
    jt = qt - qrs
    waves.append(Wave("t", size * np.array([-0.15, -0.35, 0.2]), qrs + 0.15 * jt, 0.85 * jt, _T_SKEW))
    return waves


PREMATURE_QRS_S = 0.16
"""Duration of the QRS complex of a premature ventricular beat in s."""

_GRID = np.linspace(0.0, 1.0, 51)
_QRS_BASIS = np.stack([bump((_GRID - a) / (b - a)) for a, b in _QRS_PARTS])


def true_amplitudes(truth: Mapping[str, Any], leads: tuple[str, ...] = LEADS) -> dict[str, Floats]:
    """Return the height of R, the depth of Q or S, and T in each lead, before noise and the machine's filter.

    Parameters
    ----------
    truth : mapping of str to array
        Truth, one value per recording.
    leads : tuple of str
        Leads wanted.

    Returns
    -------
    dict of str to ndarray of float, shape (n_recordings,)
        `r_amplitude_<lead>_mv` is the largest positive deflection of QRS, `qrs_nadir_<lead>_mv` its deepest negative
        one (S, Q or QS; never positive), `t_amplitude_<lead>_mv` the signed peak of T. In mV.
    """
    rows = [LEADS.index(lead) for lead in leads]
    parts, t = qrs_vectors(truth), project(t_vector(truth))[:, rows]
    weights = np.einsum("nkd,ld->nlk", parts, LEAD_VECTORS[rows])
    columns: dict[str, Floats] = {}
    for j, lead in enumerate(leads):
        course = weights[:, j] @ _QRS_BASIS
        columns[f"r_amplitude_{lead.lower()}_mv"] = np.maximum(course.max(axis=1), 0.0)
        columns[f"qrs_nadir_{lead.lower()}_mv"] = np.minimum(course.min(axis=1), 0.0)
        columns[f"t_amplitude_{lead.lower()}_mv"] = t[:, j].copy()
    return columns


def true_axes(truth: Mapping[str, Any]) -> dict[str, Floats]:
    """Return the frontal axes of P, QRS and T from the net area in leads I and aVF.

    Notes
    -----
    axis = atan2(2 aVF/√3, I): the factor makes up for the smaller gain of the augmented leads. All parts of one wave
    have the same shape, so their areas are to each other as vector times duration.

    References
    ----------
    Macfarlane PW, et al. Comprehensive Electrocardiology. 2nd ed. 2010. doi:10.1007/978-1-84882-046-3
    """
    areas = {
        "p": np.einsum("nkd,k->nd", p_vectors(truth), np.diff(_P_PARTS)[:, 0]),
        "qrs": np.einsum("nkd,k->nd", qrs_vectors(truth), np.diff(_QRS_PARTS)[:, 0]),
        "t": t_vector(truth),
    }
    return {f"{wave}_axis_deg": _frontal_angle(area) for wave, area in areas.items()}


def _frontal_angle(vector: Floats) -> Floats:
    leads = project(vector)
    i, avf = leads[..., LEADS.index("I")], leads[..., LEADS.index("aVF")]
    angle: Floats = np.degrees(np.arctan2(2 * avf / np.sqrt(3), i))
    return angle
