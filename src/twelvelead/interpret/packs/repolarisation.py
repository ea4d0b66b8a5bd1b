"""Repolarisation: ST, T and U, and the QT interval."""

import math
from collections.abc import Callable
from itertools import pairwise

from twelvelead.interpret.criteria import (
    All,
    AtLeast,
    ByPerson,
    Criterion,
    Finding,
    InLeads,
    Is,
    Limit,
    Not,
    Share,
    Test,
    any_of,
)
from twelvelead.interpret.packs.sources import AHA_IV, AHA_VI, EARLY

RUNS = (("aVL", "I"), ("II", "aVF", "III"), ("V1", "V2", "V3", "V4", "V5", "V6"))
"""Contiguous leads, each next to the one before; aVR is nobody's neighbour here."""
J_LIMIT_V2_V3 = ByPerson((("female", 0, math.inf, 0.15), ("male", 0, 40, 0.25), ("male", 40, math.inf, 0.2)))
"""mV; ST elevation in V2 and V3."""
SECONDARY = ("paced_rhythm", "preexcitation", "complete_lbbb")
"""In these, repolarisation is abnormal because depolarisation is."""


def neighbours(test_in: Callable[[str], Test], runs: tuple[tuple[str, ...], ...] = RUNS) -> AtLeast:
    """Say that a test holds in two contiguous leads, where it may differ from lead to lead.

    Parameters
    ----------
    test_in : callable
        Takes a lead, returns its test.
    runs : tuple of tuple of str
        Leads in anatomical order.

    Returns
    -------
    AtLeast
        One pair of neighbours or more.

    Examples
    --------
    >>> found = neighbours(lambda lead: Is("st_j_amplitude_{lead}_mv", ">=", 0.1), (("aVL", "I"),))
    >>> [part.leads for part in found.parts[0].parts]
    [('aVL',), ('I',)]
    """
    pairs = [pair for run in runs for pair in pairwise(run)]
    return any_of(*(All(*(InLeads((lead,), test_in(lead)) for lead in pair)) for pair in pairs))


def elevated(lead: str) -> Is:
    """Say that ST is elevated at J in a lead: by 0.1 mV, in V2 and V3 by what sex and age allow."""
    limit: Limit = J_LIMIT_V2_V3 if lead in {"V2", "V3"} else 0.1
    return Is("st_j_amplitude_{lead}_mv", ">=", limit)


def _depressed(lead: str) -> Is:
    return Is("st_j_amplitude_{lead}_mv", "<=", -0.05 if lead in {"V2", "V3"} else -0.1)


ST_ELEVATION = Finding(
    "st_elevation", "ST elevation", "repolarisation",
    Criterion(
        "j_up", "J point at 0.1 mV or more in two contiguous leads; in V2 and V3 0.2 mV, men under 40 0.25, women 0.15",
        neighbours(elevated), AHA_VI,
    ),
    AHA_VI, unless=SECONDARY,
)  # fmt: skip

ST_DEPRESSION = Finding(
    "st_depression", "ST depression", "repolarisation",
    Criterion(
        "j_down", "J point at −0.1 mV or less in two contiguous leads, in V2 and V3 −0.05 mV", neighbours(_depressed),
        AHA_VI,
    ),
    AHA_VI, unless=SECONDARY,
)  # fmt: skip

_UPRIGHT = ("I", "II", "V3", "V4", "V5", "V6")

T_INVERSION = Finding(
    "t_inversion", "T wave inversion", "repolarisation",
    Criterion(
        "inverted", "T at −0.1 mV or less in two or more of I, II, V3–V6",
        InLeads(_UPRIGHT, Is("t_amplitude_{lead}_mv", "<=", -0.1), 2), AHA_IV,
    ),
    AHA_IV, unless=SECONDARY,
)  # fmt: skip
DEEP_T = Finding(
    "deep_t_inversion", "Deep T wave inversion", "repolarisation",
    Criterion(
        "deep", "T at −0.5 mV or less in one or more of I, II, V3–V6",
        InLeads(_UPRIGHT, Is("t_amplitude_{lead}_mv", "<=", -0.5)), AHA_IV,
    ),
    AHA_IV, unless=SECONDARY,
)  # fmt: skip
FLAT_T = Finding(
    "flat_t", "Flat T waves", "repolarisation",
    Criterion(
        "flat", "T between −0.1 and 0.1 mV, and below a tenth of an R over 0.3 mV, in two or more of I, II, V4–V6",
        InLeads(
            ("I", "II", "V4", "V5", "V6"),
            All(
                Is("t_amplitude_{lead}_mv", ">", -0.1), Is("t_amplitude_{lead}_mv", "<", 0.1),
                Is("t_amplitude_{lead}_mv", "<", Share("r_amplitude_{lead}_mv", 0.1)),
                Is("r_amplitude_{lead}_mv", ">", 0.3),
            ),
            2,
        ),
        AHA_IV,
    ),
    AHA_IV, unless=SECONDARY,
)  # fmt: skip
TALL_T = Finding(
    "tall_t", "Tall T waves", "repolarisation",
    Criterion(
        "tall", "T in V2 or V3 above 1.4 mV in men (1.6 mV from 18 to 29 years), 1.0 mV in women",
        InLeads(("V2", "V3"), Is("t_amplitude_{lead}_mv", ">", ByPerson(
            (("female", 0, math.inf, 1.0), ("male", 18, 30, 1.6), ("male", 0, math.inf, 1.4))
        ))),
        AHA_IV,
    ),
    AHA_IV, unless=SECONDARY,
)  # fmt: skip

EARLY_REPOLARISATION = Finding(
    "early_repolarisation", "J point elevation of early repolarisation", "repolarisation",
    All(
        Criterion(
            "j_up", "J point at 0.1 mV or more in two contiguous inferior or lateral leads with an upright T wave",
            neighbours(
                lambda _: All(Is("st_j_amplitude_{lead}_mv", ">=", 0.1), Is("t_amplitude_{lead}_mv", ">", 0.1)),
                (("aVL", "I"), ("II", "aVF", "III"), ("V4", "V5", "V6")),
            ),
            EARLY,
        ),
        Criterion("narrow", "QRS duration below 120 ms", Is("qrs_duration_ms", "<", 120), EARLY),
        Criterion(
            "no_depression", "no ST depression but in aVR and V1",
            Not(InLeads(("I", "II", "III", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6"),
                        Is("st_j_amplitude_{lead}_mv", "<=", -0.05))), EARLY,
        ),
    ),
    EARLY, unless=SECONDARY,
)  # fmt: skip

U_WAVE = Finding(
    "prominent_u", "Prominent U waves", "repolarisation",
    Criterion(
        "larger_than_t", "U larger than T in V2 or V3",
        InLeads(("V2", "V3"), All(
            Is("u_amplitude_{lead}_mv", ">", Share("t_amplitude_{lead}_mv")), Is("u_amplitude_{lead}_mv", ">=", 0.05),
        )), AHA_IV,
    ),
    AHA_IV, unless=SECONDARY,
)  # fmt: skip
INVERTED_U = Finding(
    "inverted_u", "Inverted U waves", "repolarisation",
    Criterion(
        "inverted", "U at −0.05 mV or less in V2 or V3",
        InLeads(("V2", "V3"), Is("u_amplitude_{lead}_mv", "<=", -0.05)), AHA_IV,
    ),
    AHA_IV, unless=SECONDARY,
)  # fmt: skip

_NO_QT = (*SECONDARY, "complete_rbbb", "atrial_fibrillation")
LONG_QT = Finding(
    "long_qt", "Prolonged QT interval", "QT",
    Criterion(
        "qtc", "QT, corrected by Framingham's line, of 460 ms or more in women, 450 ms or more in men",
        Is("qtc_framingham_ms", ">=", ByPerson((("female", 0, math.inf, 460), ("male", 0, math.inf, 450)))), AHA_IV,
    ),
    AHA_IV, unless=_NO_QT,
)  # fmt: skip
SHORT_QT = Finding(
    "short_qt", "Short QT interval", "QT",
    Criterion(
        "qtc", "QT, corrected by Framingham's line, of 390 ms or less", Is("qtc_framingham_ms", "<=", 390), AHA_IV
    ),
    AHA_IV, unless=_NO_QT,
)  # fmt: skip

REPOLARISATION = (
    ST_ELEVATION, ST_DEPRESSION, T_INVERSION, DEEP_T, FLAT_T, TALL_T, EARLY_REPOLARISATION, U_WAVE, INVERTED_U,
    LONG_QT, SHORT_QT,
)  # fmt: skip
