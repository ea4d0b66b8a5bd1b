"""Electrical axes in the frontal plane, and the heart vector in space."""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.heartbeat import Heartbeats, add
from twelvelead.measure.rhythm import fact
from twelvelead.terms import Measurement

Floats = NDArray[np.float64]

AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"
AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"
KORS = "doi:10.1093/oxfordjournals.eurheartj.a059647"
KARDYS = "doi:10.1016/S0195-668X(03)00203-3"
OKIN = "doi:10.1161/hc0602.103585"
FRONTAL = "doi:10.3390/ijerph20032411"  # QRS-T angle in the frontal plane


def frontal_axis(lead_i: Floats, lead_avf: Floats) -> Floats:
    """Axis in the frontal plane in degrees, −180 to 180, from net areas in I and aVF.

    Parameters
    ----------
    lead_i, lead_avf : ndarray, shape (n,)
        Net area or amplitude of the wave in each lead, in the same unit.

    Returns
    -------
    ndarray, shape (n,)
        0 points to the left arm, 90 to the feet; NaN if both are zero or one is missing.

    Notes
    -----
    Goldberger's augmented leads are √3/2 as long as Einthoven's: aVF is multiplied by 2/√3.

    Examples
    --------
    A wave of one size along the +60° direction measures cos 60° = 0.5 in I, and √3/2 · sin 60° = 0.75 in aVF.

    >>> frontal_axis(np.array([0.5]), np.array([0.75])).round(6).tolist()
    [60.0]
    """
    nothing = (lead_i == 0) & (lead_avf == 0)
    return np.where(nothing, np.nan, np.degrees(np.arctan2(2 / math.sqrt(3) * lead_avf, lead_i)))


def angle_between(first: Floats, second: Floats) -> Floats:
    """Angle between two vectors, 0 to 180 degrees; NaN if one has no length.

    Parameters
    ----------
    first, second : ndarray, shape (3, n)
        One vector per column.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> angle_between(np.array([[1.0], [0.0], [0.0]]), np.array([[0.0], [2.0], [0.0]])).tolist()
    [90.0]
    """
    with np.errstate(invalid="ignore"):
        cosine = add(first * second) / (length(first) * length(second))
        return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def length(vector: Floats) -> Floats:
    """Length of each column of `vector`, shape (3, n); shape (n,)."""
    return np.sqrt(add(vector**2))


def direction(name: str, heartbeats: Heartbeats) -> Floats:
    """Frontal axis of a quantity, e.g. `qrs_area_mvms`, in degrees; without aVF from I and II; shape (n,)."""
    i, ii, avf = heartbeats.leads(name, ("I", "II", "aVF"))
    return frontal_axis(i, np.where(np.isnan(avf), ii - i / 2, avf))


p_axis = partial(direction, "p_area_mvms")
qrs_axis = partial(direction, "qrs_area_mvms")
t_axis = partial(direction, "t_area_mvms")


def _cosine(name: str, heartbeats: Heartbeats) -> Floats:
    return np.cos(np.radians(direction(name, heartbeats)))


def _sine(name: str, heartbeats: Heartbeats) -> Floats:
    return np.sin(np.radians(direction(name, heartbeats)))


def frontal_qrs_t_angle(heartbeats: Heartbeats) -> Floats:
    """Angle between the QRS and T axes in the frontal plane, 0 to 180 degrees, shape (n,)."""
    apart = np.abs(qrs_axis(heartbeats) - t_axis(heartbeats))
    smaller: Floats = np.minimum(apart, 360 - apart)
    return smaller


def vector(name: str, heartbeats: Heartbeats) -> Floats:
    """Heart vector `qrs_mean`, `qrs_peak`, `t_mean`, `t_peak` or `qrst`; X left, Y down, Z back; shape (3, n)."""
    return np.stack([heartbeats.fact(f"{name}_{axis}") for axis in "xyz"])


def _spatial_angle(which: str, heartbeats: Heartbeats) -> Floats:
    return angle_between(vector(f"qrs_{which}", heartbeats), vector(f"t_{which}", heartbeats))


def _magnitude(name: str, heartbeats: Heartbeats) -> Floats:
    return length(vector(name, heartbeats))


def _magnitude_ratio(heartbeats: Heartbeats) -> Floats:
    return _magnitude("t_peak", heartbeats) / np.maximum(_magnitude("qrs_peak", heartbeats), 1e-9)


def _azimuth(name: str, heartbeats: Heartbeats) -> Floats:
    x, _, z = vector(name, heartbeats)
    degrees: Floats = np.degrees(np.arctan2(z, x))
    return degrees


def _elevation(name: str, heartbeats: Heartbeats) -> Floats:
    x, y, z = vector(name, heartbeats)
    degrees: Floats = np.degrees(np.arctan2(y, np.sqrt(x**2 + z**2)))
    return degrees


MEASUREMENTS = (
    Measurement(
        "p_axis_deg", "deg", "Frontal axis of the P wave's net area.", AHA_I, p_axis,
        reference=(0.0, 75.0), reference_source="doi:10.1161/STROKEAHA.117.017226",
        loinc="8626-4", mdc="MDC_ECG_ANGLE_P_FRONT",
    ),
    Measurement(
        "qrs_axis_deg", "deg", "Frontal axis of the QRS complex's net area.", AHA_III, qrs_axis,
        reference=(-30.0, 90.0), reference_source=AHA_III, loinc="8632-2", mdc="MDC_ECG_ANGLE_QRS_FRONT",
    ),
    Measurement(
        "t_axis_deg", "deg", "Frontal axis of the T wave's net area.", AHA_I, t_axis,
        loinc="8638-9", mdc="MDC_ECG_ANGLE_T_FRONT",
    ),
    Measurement(
        "st_axis_deg", "deg", "Frontal axis of the ST level 60 ms after J.", AHA_I,
        partial(direction, "st_j60_amplitude_mv"),
    ),
    Measurement(
        "qrs_axis_cosine_ratio", "1", "Cosine of the QRS axis: 1 left.", AHA_III,
        partial(_cosine, "qrs_area_mvms"),
    ),
    Measurement("qrs_axis_sine_ratio", "1", "Sine of the QRS axis: 1 down.", AHA_III, partial(_sine, "qrs_area_mvms")),
    Measurement("t_axis_cosine_ratio", "1", "Cosine of the T axis: 1 left.", AHA_I, partial(_cosine, "t_area_mvms")),
    Measurement("t_axis_sine_ratio", "1", "Sine of the T axis: 1 down.", AHA_I, partial(_sine, "t_area_mvms")),
    Measurement(
        "qrs_t_angle_frontal_deg", "deg", "Angle between QRS and T axes.", FRONTAL, frontal_qrs_t_angle
    ),
    Measurement(
        "qrs_t_angle_spatial_deg", "deg", "Angle in space between mean QRS and mean T vector (Kors).", KARDYS,
        partial(_spatial_angle, "mean"), reference=(0.0, 105.0), reference_source=KARDYS,
    ),
    Measurement(
        "qrs_t_peak_angle_spatial_deg", "deg", "Angle in space between largest QRS and largest T vector (Kors).",
        KORS, partial(_spatial_angle, "peak"),
    ),
    Measurement("qrs_vector_magnitude_mv", "mV", "Largest QRS vector (Kors).", KORS, partial(_magnitude, "qrs_peak")),
    Measurement("t_vector_magnitude_mv", "mV", "Largest T vector (Kors).", KORS, partial(_magnitude, "t_peak")),
    Measurement("t_qrs_vector_ratio", "1", "Largest T over largest QRS vector (Kors).", KORS, _magnitude_ratio),
    Measurement(
        "ventricular_gradient_mvms", "mV*ms", "Size of the QRST integral in space (Kors).", KORS,
        partial(_magnitude, "qrst"),
    ),
    Measurement(
        "qrs_azimuth_deg", "deg", "Horizontal direction of mean QRS: 0 left, 90 back.", KORS,
        partial(_azimuth, "qrs_mean"),
    ),
    Measurement(
        "qrs_elevation_deg", "deg", "Elevation of mean QRS vector: 90 down.", KORS,
        partial(_elevation, "qrs_mean"),
    ),
    Measurement(
        "t_azimuth_deg", "deg", "Horizontal direction of mean T: 0 left, 90 back.", KORS,
        partial(_azimuth, "t_mean"),
    ),
    Measurement("t_elevation_deg", "deg", "Elevation of mean T vector: 90 down.", KORS, partial(_elevation, "t_mean")),
    Measurement(
        "qrs_complexity_ratio", "1", "Second over first singular value (root of the PCA ratio) of the QRS complexes.",
        OKIN, partial(fact, "qrs_complexity"),
    ),
    Measurement(
        "t_complexity_ratio", "1", "Second over first singular value (root of the PCA ratio) of the T waves.",
        OKIN, partial(fact, "t_complexity"),
    ),
)  # fmt: skip
