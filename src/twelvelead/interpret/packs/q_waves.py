"""Q waves of a prior infarction, by the fourth universal definition."""

from twelvelead.interpret.criteria import All, Criterion, InLeads, Is, any_of
from twelvelead.interpret.packs.repolarisation import neighbours
from twelvelead.interpret.packs.sources import UDMI4

NO_R_MV = 0.025
"""An R wave below a quarter of a millimetre does not count (as in the Minnesota code): the complex is a QS."""

QS = All(
    Is("r_amplitude_{lead}_mv", "<", NO_R_MV),
    any_of(Is("q_amplitude_{lead}_mv", "<=", -0.1), Is("s_amplitude_{lead}_mv", "<=", -0.1)),
)
_Q = All(Is("q_duration_{lead}_ms", ">=", 30), Is("q_amplitude_{lead}_mv", "<=", -0.1))
_WIDE_Q_OR_QS = any_of(_Q, QS)

ANTEROSEPTAL = Criterion(
    "q_v2_v3", "a Q wave longer than 20 ms in V2 or V3, or QS complexes in V2 and V3",
    any_of(
        InLeads(("V2", "V3"), All(
            Is("q_duration_{lead}_ms", ">", 20), Is("q_amplitude_{lead}_mv", "<=", -NO_R_MV),
            Is("r_amplitude_{lead}_mv", ">=", NO_R_MV),
        )),
        InLeads(("V2", "V3"), QS, 2),
    ),
    UDMI4,
)  # fmt: skip
ANTERIOR = Criterion(
    "q_v4", "a Q wave of 30 ms and 0.1 mV or more, or a QS complex, in V4 and a neighbour of it",
    neighbours(lambda _: _WIDE_Q_OR_QS, (("V3", "V4", "V5"),)), UDMI4,
)  # fmt: skip
LATERAL = Criterion(
    "q_lateral", "Q waves of 30 ms and 0.1 mV or more, or QS complexes, in I and aVL, or in V5 and V6",
    neighbours(lambda _: _WIDE_Q_OR_QS, (("aVL", "I"), ("V5", "V6"))), UDMI4,
)  # fmt: skip
INFERIOR = Criterion(
    "q_inferior", "Q waves of 30 ms and 0.1 mV or more, or QS complexes, in two or more of II, III, aVF",
    InLeads(("II", "III", "aVF"), _WIDE_Q_OR_QS, 2), UDMI4,
)  # fmt: skip
POSTERIOR = Criterion(
    "r_v1_v2", "R longer than 40 ms in V1 and V2, R larger than S, T upright",
    InLeads(("V1", "V2"), All(
        Is("r_duration_{lead}_ms", ">", 40), Is("r_share_{lead}_ratio", ">", 0.5),
        Is("t_amplitude_{lead}_mv", ">", 0.0),
    ), 2),
    UDMI4,
)  # fmt: skip
