"""Which measurement a number in a text is about: by the wave it belongs to and its unit."""

import re
from typing import NamedTuple

from twelvelead.interpret.derived import DERIVED
from twelvelead.interpret.narrate_words import is_plain, name_of
from twelvelead.measure import CATALOGUE


class Quantity(NamedTuple):
    """What a number may be.

    Parameters
    ----------
    whole : tuple of str
        Measurements of the recording; any of them may be meant.
    lead : tuple of str
        Measurements of a lead, with `{lead}`; any of them may be meant.
    size : bool
        Whether only the size is told, so that a depth may be given without its sign.
    """

    whole: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    size: bool = False


QTC = {name: f"qtc_{name}_ms" for name in ("bazett", "fridericia", "framingham", "hodges")}

QUANTITIES: dict[tuple[str, str], Quantity] = {
    ("rate", "1/min"): Quantity(("heart_rate_bpm",)),
    ("flutter_rate", "1/min"): Quantity(("flutter_rate_bpm",)),
    ("rr", "ms"): Quantity(("rr_mean_ms", "rr_median")),
    ("pause", "ms"): Quantity(("rr_max_ms",)),
    ("pr", "ms"): Quantity(("pr_interval_ms",)),
    ("pr_segment", "ms"): Quantity(("pr_segment_ms",)),
    ("qrs", "ms"): Quantity(("qrs_duration_ms",), ("qrs_lead_duration_{lead}_ms", "qrs_duration_ms")),
    ("qrs", "mV"): Quantity((), ("qrs_peak_to_peak",)),
    ("voltage", "mV"): Quantity((), ("qrs_peak_to_peak",)),
    ("qt", "ms"): Quantity(("qt_interval_ms",)),
    ("qtc", "ms"): Quantity(tuple(QTC.values())),
    ("jt", "ms"): Quantity(("jt_interval_ms",)),
    ("axis", "deg"): Quantity(("qrs_axis_deg",)),
    ("p_axis", "deg"): Quantity(("p_axis_deg",)),
    ("t_axis", "deg"): Quantity(("t_axis_deg",)),
    ("p", "ms"): Quantity(("p_duration_ms",), ("p_lead_duration_{lead}_ms", "p_duration_ms")),
    ("p", "mV"): Quantity((), ("p_amplitude_{lead}_mv",)),
    ("p_terminal", "mV*ms"): Quantity(("p_terminal_force_v1_mvms",), ("p_terminal_force_{lead}_mvms",), size=True),
    ("q", "ms"): Quantity((), ("q_duration_{lead}_ms",)),
    ("q", "mV"): Quantity((), ("q_amplitude_{lead}_mv",), size=True),
    ("qs", "mV"): Quantity((), ("q_amplitude_{lead}_mv",), size=True),
    ("qs", "ms"): Quantity((), ("q_duration_{lead}_ms",)),
    ("r", "ms"): Quantity((), ("r_duration_{lead}_ms",)),
    ("r", "mV"): Quantity((), ("r_amplitude_{lead}_mv",)),
    ("r_peak_time", "ms"): Quantity((), ("r_peak_time_{lead}_ms",)),
    ("s", "ms"): Quantity((), ("s_duration_{lead}_ms",)),
    ("s", "mV"): Quantity((), ("s_amplitude_{lead}_mv",), size=True),
    ("r_prime", "mV"): Quantity((), ("r_prime_amplitude_{lead}_mv",)),
    ("r_prime", "ms"): Quantity((), ("r_prime_duration_{lead}_ms",)),
    ("rsr", "mV"): Quantity((), ("r_prime_amplitude_{lead}_mv",)),
    ("st", "mV"): Quantity(
        (), ("st_j_amplitude_{lead}_mv", "st_j60_amplitude_{lead}_mv", "st_j80_amplitude_{lead}_mv")
    ),
    ("t", "mV"): Quantity((), ("t_amplitude_{lead}_mv",)),
    ("t", "ms"): Quantity(("t_duration_ms",), ("t_lead_duration_{lead}_ms", "t_duration_ms")),
    ("u", "mV"): Quantity((), ("u_amplitude_{lead}_mv",)),
    ("sokolow", "mV"): Quantity(("sokolow_lyon_mv",)),
    ("cornell", "mV"): Quantity(("cornell_voltage_mv",)),
    ("cornell_product", "mV*ms"): Quantity(("cornell_product_mvms",)),
    ("peguero", "mV"): Quantity(("peguero_lo_presti_mv",)),
}
"""By wave and unit."""
_ALL: list[tuple[str, str, str | None]] = [
    *((m.name, m.unit, m.lead) for m in CATALOGUE),
    *((m.name, m.unit, m.lead) for m in DERIVED),
]
BY_NAME = {
    name_of(name, lead).lower(): (unit, name if lead is None else name.replace(f"_{lead.lower()}_", "_{lead}_"))
    for name, unit, lead in _ALL
    if unit in ("ms", "mV", "1/min", "deg", "mV*ms") and is_plain(name, lead)
}
"""Measurements that are called by their own names: unit and name, with `{lead}` for a lead's."""
QUANTITIES |= {
    (words, unit): Quantity((), (name,)) if "{lead}" in name else Quantity((name,))
    for words, (unit, name) in BY_NAME.items()
}
NAMED = re.compile(
    r"(?i)\b(?:" + "|".join(re.escape(words) for words in sorted(BY_NAME, key=len, reverse=True)) + r")\b"
)
SAME_WAVE = {"ste": "st", "std": "st", "twi": "t"}
IMPLIED = {"rate": "1/min", "pr": "ms", "qrs": "ms", "qt": "ms", "qtc": "ms", "axis": "deg", "rr": "ms"}
"""The unit of a number without one."""
TELLING = {"1/min": "rate", "deg": "axis"}
"""What a number is about by its unit alone."""


def dimensions(wave: str) -> frozenset[str]:
    """Give the units that numbers of a wave may have.

    Examples
    --------
    >>> sorted(dimensions("t"))
    ['mV', 'ms']
    """
    return frozenset(unit for name, unit in QUANTITIES if name == SAME_WAVE.get(wave, wave))
