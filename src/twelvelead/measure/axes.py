"""Electrical axes in the frontal plane, and the heart vector in space."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.terms import Measurement

Floats = NDArray[np.float64]

AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"
AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"
KORS = "doi:10.1093/oxfordjournals.eurheartj.a059647"
KARDYS = "doi:10.1016/S0195-668X(03)00203-3"
OKIN = "doi:10.1161/hc0602.103585"
FRONTAL = "doi:10.3390/ijerph20032411"  # QRS-T angle in the frontal plane
NAN = float("nan")


def frontal_axis(lead_i: float, lead_avf: float) -> float:
    """Axis in the frontal plane in degrees, −180 to 180, from net areas in I and aVF.

    Parameters
    ----------
    lead_i, lead_avf : float
        Net area or amplitude of the wave in each lead, in the same unit.

    Returns
    -------
    float
        0 points to the left arm, 90 to the feet; NaN if both are zero or one is missing.

    Notes
    -----
    Goldberger's augmented leads are √3/2 as long as Einthoven's: aVF is multiplied by 2/√3.

    Examples
    --------
    A wave of one size along the +60° direction measures cos 60° = 0.5 in I, and √3/2 · sin 60° = 0.75 in aVF.

    >>> round(frontal_axis(0.5, 0.75), 6)
    60.0
    """
    if math.isnan(lead_i) or math.isnan(lead_avf) or (lead_i == 0 and lead_avf == 0):
        return NAN
    return math.degrees(math.atan2(2 / math.sqrt(3) * lead_avf, lead_i))


def angle_between(first: Floats, second: Floats) -> float:
    """Angle between two vectors, 0 to 180 degrees; NaN if one has no length.

    Examples
    --------
    >>> angle_between(np.array([1.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.0]))
    90.0
    """
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    if not size > 0:
        return NAN
    return math.degrees(math.acos(float(np.clip(first @ second / size, -1, 1))))


def _axis(heartbeat: Heartbeat, name: str) -> float:
    i, avf = heartbeat.lead(name, "I"), heartbeat.lead(name, "aVF")
    if math.isnan(avf):
        avf = heartbeat.lead(name, "II") - i / 2
    return frontal_axis(i, avf)


def p_axis(heartbeat: Heartbeat) -> float:
    """P axis in degrees."""
    return _axis(heartbeat, "p_area_mvms")


def qrs_axis(heartbeat: Heartbeat) -> float:
    """QRS axis in degrees."""
    return _axis(heartbeat, "qrs_area_mvms")


def t_axis(heartbeat: Heartbeat) -> float:
    """T axis in degrees."""
    return _axis(heartbeat, "t_area_mvms")


def _st_axis(heartbeat: Heartbeat) -> float:
    return _axis(heartbeat, "st_j60_amplitude_mv")


def frontal_qrs_t_angle(heartbeat: Heartbeat) -> float:
    """Angle between the QRS and T axes in the frontal plane, 0 to 180 degrees."""
    apart = abs(qrs_axis(heartbeat) - t_axis(heartbeat))
    return min(apart, 360 - apart)


def _span(heartbeat: Heartbeat, first: Mark, last: Mark) -> Floats | None:
    vector = heartbeat.vector
    a, b = heartbeat.global_marks[first], heartbeat.global_marks[last]
    if vector is None or math.isnan(a) or math.isnan(b):
        return None
    return vector[:, round(a) : round(b) + 1]


def _qrs_loop(heartbeat: Heartbeat) -> Floats | None:
    return _span(heartbeat, Mark.QRS_ONSET, Mark.QRS_OFFSET)


def _t_loop(heartbeat: Heartbeat) -> Floats | None:
    return _span(heartbeat, Mark.T_ONSET, Mark.T_OFFSET)


def spatial_qrs_t_angle(heartbeat: Heartbeat) -> float:
    """Angle in space between the mean QRS and T vectors, 0 to 180 degrees."""
    qrs, t = _qrs_loop(heartbeat), _t_loop(heartbeat)
    return NAN if qrs is None or t is None else angle_between(qrs.sum(axis=1), t.sum(axis=1))


def _peak(loop: Floats) -> Floats:
    return loop[:, int((loop**2).sum(axis=0).argmax())]


def spatial_peak_angle(heartbeat: Heartbeat) -> float:
    """Angle in space between the largest QRS and T vectors, 0 to 180 degrees."""
    qrs, t = _qrs_loop(heartbeat), _t_loop(heartbeat)
    return NAN if qrs is None or t is None else angle_between(_peak(qrs), _peak(t))


def _magnitude(loop: Floats | None) -> float:
    return NAN if loop is None else float(np.linalg.norm(_peak(loop)))


def _qrs_magnitude(heartbeat: Heartbeat) -> float:
    return _magnitude(_qrs_loop(heartbeat))


def _t_magnitude(heartbeat: Heartbeat) -> float:
    return _magnitude(_t_loop(heartbeat))


def _magnitude_ratio(heartbeat: Heartbeat) -> float:
    return _t_magnitude(heartbeat) / max(_qrs_magnitude(heartbeat), 1e-9)


def _gradient(heartbeat: Heartbeat) -> float:
    qt = _span(heartbeat, Mark.QRS_ONSET, Mark.T_OFFSET)
    return NAN if qt is None else float(np.linalg.norm(qt.sum(axis=1))) * 1000 / heartbeat.fs


def _azimuth(loop: Floats | None) -> float:
    if loop is None:
        return NAN
    x, _, z = loop.sum(axis=1)
    return math.degrees(math.atan2(z, x))


def _elevation(loop: Floats | None) -> float:
    if loop is None:
        return NAN
    x, y, z = loop.sum(axis=1)
    return math.degrees(math.atan2(y, math.hypot(x, z)))


def _qrs_azimuth(heartbeat: Heartbeat) -> float:
    return _azimuth(_qrs_loop(heartbeat))


def _t_azimuth(heartbeat: Heartbeat) -> float:
    return _azimuth(_t_loop(heartbeat))


def _qrs_elevation(heartbeat: Heartbeat) -> float:
    return _elevation(_qrs_loop(heartbeat))


def _t_elevation(heartbeat: Heartbeat) -> float:
    return _elevation(_t_loop(heartbeat))


def second_component(waves: Floats) -> float:
    """Size of the second principal component relative to the first; 0 for waves that differ in size only.

    Examples
    --------
    >>> round(second_component(np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]])), 6)
    0.0
    """
    centred = waves - waves.mean(axis=1, keepdims=True)
    power = np.linalg.eigvalsh(centred @ centred.T)[::-1]  # squared singular values, at a third of their cost
    return math.sqrt(max(power[1], 0.0) / power[0]) if power.size > 1 and power[0] > 0 else NAN


def _complexity(heartbeat: Heartbeat, first: Mark, last: Mark) -> float:
    a, b = heartbeat.global_marks[first], heartbeat.global_marks[last]
    if math.isnan(a) or math.isnan(b) or heartbeat.usable.sum() < 3:
        return NAN
    return second_component(heartbeat.beat[heartbeat.usable, round(a) : round(b) + 1])


def _qrs_complexity(heartbeat: Heartbeat) -> float:
    return _complexity(heartbeat, Mark.QRS_ONSET, Mark.QRS_OFFSET)


def _t_complexity(heartbeat: Heartbeat) -> float:
    return _complexity(heartbeat, Mark.T_ONSET, Mark.T_OFFSET)


def _cosine_of_qrs_axis(heartbeat: Heartbeat) -> float:
    return math.cos(math.radians(qrs_axis(heartbeat)))


def _sine_of_qrs_axis(heartbeat: Heartbeat) -> float:
    return math.sin(math.radians(qrs_axis(heartbeat)))


def _cosine_of_t_axis(heartbeat: Heartbeat) -> float:
    return math.cos(math.radians(t_axis(heartbeat)))


def _sine_of_t_axis(heartbeat: Heartbeat) -> float:
    return math.sin(math.radians(t_axis(heartbeat)))


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
    Measurement("st_axis_deg", "deg", "Frontal axis of the ST level 60 ms after J.", AHA_I, _st_axis),
    Measurement("qrs_axis_cosine_ratio", "1", "Cosine of the QRS axis: 1 left.", AHA_III, _cosine_of_qrs_axis),
    Measurement("qrs_axis_sine_ratio", "1", "Sine of the QRS axis: 1 down.", AHA_III, _sine_of_qrs_axis),
    Measurement("t_axis_cosine_ratio", "1", "Cosine of the T axis: 1 left.", AHA_I, _cosine_of_t_axis),
    Measurement("t_axis_sine_ratio", "1", "Sine of the T axis: 1 down.", AHA_I, _sine_of_t_axis),
    Measurement(
        "qrs_t_angle_frontal_deg", "deg", "Angle between QRS and T axes.", FRONTAL, frontal_qrs_t_angle
    ),
    Measurement(
        "qrs_t_angle_spatial_deg", "deg", "Angle in space between mean QRS and mean T vector (Kors).", KARDYS,
        spatial_qrs_t_angle, reference=(0.0, 105.0), reference_source=KARDYS,
    ),
    Measurement(
        "qrs_t_peak_angle_spatial_deg", "deg", "Angle in space between largest QRS and largest T vector (Kors).",
        KORS, spatial_peak_angle,
    ),
    Measurement("qrs_vector_magnitude_mv", "mV", "Largest QRS vector (Kors).", KORS, _qrs_magnitude),
    Measurement("t_vector_magnitude_mv", "mV", "Largest T vector (Kors).", KORS, _t_magnitude),
    Measurement("t_qrs_vector_ratio", "1", "Largest T over largest QRS vector (Kors).", KORS, _magnitude_ratio),
    Measurement("ventricular_gradient_mvms", "mV*ms", "Size of the QRST integral in space (Kors).", KORS, _gradient),
    Measurement("qrs_azimuth_deg", "deg", "Horizontal direction of mean QRS: 0 left, 90 back.", KORS, _qrs_azimuth),
    Measurement("qrs_elevation_deg", "deg", "Elevation of mean QRS vector: 90 down.", KORS, _qrs_elevation),
    Measurement("t_azimuth_deg", "deg", "Horizontal direction of mean T: 0 left, 90 back.", KORS, _t_azimuth),
    Measurement("t_elevation_deg", "deg", "Elevation of mean T vector: 90 down.", KORS, _t_elevation),
    Measurement(
        "qrs_complexity_ratio", "1", "Second over first singular value (root of the PCA ratio) of the QRS complexes.",
        OKIN, _qrs_complexity,
    ),
    Measurement(
        "t_complexity_ratio", "1", "Second over first singular value (root of the PCA ratio) of the T waves.",
        OKIN, _t_complexity,
    ),
)  # fmt: skip
