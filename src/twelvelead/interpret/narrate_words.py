"""Numbers and measurements in words: rounded to what they are measured to, with their unit."""

from twelvelead.interpret.proof import Evidence

_FORMS = {
    "ms": ("{:.0f} ms", 0),
    "mV": ("{:.2f} mV", 2),
    "1/min": ("{:.0f} bpm", 0),
    "deg": ("{:.0f}°", 0),
    "mV*ms": ("{:.1f} mV·ms", 1),
    "mV/s": ("{:.1f} mV/s", 1),
}
NAMES = {
    "heart_rate_bpm": "heart rate", "rr_mean_ms": "mean RR interval", "rr_min_ms": "shortest RR interval",
    "rr_max_ms": "longest RR interval", "pr_interval_ms": "PR interval", "qrs_duration_ms": "QRS duration",
    "qt_interval_ms": "QT interval", "jt_interval_ms": "JT interval", "p_duration_ms": "P-wave duration",
    "t_duration_ms": "T-wave duration",
    "pr_segment_ms": "PR segment", "qtc_bazett_ms": "QTc (Bazett)", "qtc_fridericia_ms": "QTc (Fridericia)",
    "qtc_framingham_ms": "QTc (Framingham)", "qtc_hodges_ms": "QTc (Hodges)", "qrs_axis_deg": "QRS axis",
    "p_axis_deg": "P axis", "t_axis_deg": "T axis", "sokolow_lyon_mv": "Sokolow–Lyon voltage",
    "cornell_voltage_mv": "Cornell voltage", "cornell_product_mvms": "Cornell product",
    "peguero_lo_presti_mv": "Peguero–Lo Presti voltage", "flutter_rate_bpm": "flutter rate",
}  # fmt: skip
_IN_LEAD = {
    "p_amplitude": "P-wave amplitude", "q_amplitude": "Q-wave amplitude", "r_amplitude": "R-wave amplitude",
    "s_amplitude": "S-wave amplitude", "r_prime_amplitude": "R′ amplitude", "t_amplitude": "T-wave amplitude",
    "st_j_amplitude": "ST level at J", "st_j60_amplitude": "ST level at J60", "st_j80_amplitude": "ST level at J80",
    "q_duration": "Q-wave duration", "r_duration": "R-wave duration", "s_duration": "S-wave duration",
    "r_prime_duration": "R′ duration", "p_terminal_force": "P-wave terminal force", "r_peak_time": "R-wave peak time",
    "u_amplitude": "U-wave amplitude", "p_lead_duration": "P-wave duration", "t_lead_duration": "T-wave duration",
    "qrs_lead_duration": "QRS duration",
}  # fmt: skip


_TAIL = {"ratio": " ratio", "share": " share", "count": " count", "probability": " probability"}


def say_value(value: float, unit: str) -> str:
    """Say a number with its unit, rounded to what it is measured to.

    Examples
    --------
    >>> say_value(167.32, "ms"), say_value(-0.1249, "mV"), say_value(47.19, "1/min"), say_value(-0.4, "deg")
    ('167 ms', '-0.12 mV', '47 bpm', '0°')
    """
    form, digits = _FORMS.get(unit, ("{:.2f}", 2))
    return form.format(round(value, digits) + 0.0)


def name_of(name: str, lead: str | None) -> str:
    """Say what a measurement is: as cardiologists call it, or by its own name.

    Examples
    --------
    >>> name_of("r_amplitude_v5_mv", "V5"), name_of("qt_interval_ms", None), name_of("rr_pause_ratio", None)
    ('R-wave amplitude', 'QT interval', 'rr pause ratio')
    """
    stem, _, unit = name.rpartition("_")
    if lead is not None:
        stem = stem.removesuffix(f"_{lead.lower()}")
        return _IN_LEAD.get(stem, stem.replace("_", " ") + _TAIL.get(unit, ""))
    return NAMES.get(name, stem.replace("_", " ") + _TAIL.get(unit, ""))


def is_plain(name: str, lead: str | None) -> bool:
    """Say whether a measurement is called by its own name."""
    return (
        name not in NAMES if lead is None else name.rpartition("_")[0].removesuffix(f"_{lead.lower()}") not in _IN_LEAD
    )


def say(evidence: Evidence) -> str:
    """Say a measured number: what, how much, where.

    Examples
    --------
    >>> say(Evidence("r_amplitude_v5_mv", 1.93, "mV", "V5", None, ()))
    'R-wave amplitude 1.93 mV in V5'
    """
    where = f" in {evidence.lead}" if evidence.lead else ""
    return f"{name_of(evidence.name, evidence.lead)} {say_value(evidence.value, evidence.unit)}{where}"
