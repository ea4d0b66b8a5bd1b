"""The frontal axis of the QRS complex."""

from twelvelead.interpret.criteria import All, Criterion, Finding, Has, InLeads, Is, Not
from twelvelead.interpret.packs.sources import AHA_III

_LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")

INDETERMINATE = Finding(
    "indeterminate_axis", "Indeterminate axis", "axis",
    Criterion(
        "equiphasic", "equiphasic QRS complexes in all limb leads: R from 0.4 to 0.6 of R and S",
        InLeads(_LIMB, All(Is("r_share_{lead}_ratio", ">=", 0.4), Is("r_share_{lead}_ratio", "<=", 0.6)), 6), AHA_III,
    ),
    AHA_III,
)  # fmt: skip
LEFT = Finding(
    "left_axis_deviation", "Left axis deviation", "axis",
    All(
        Criterion(
            "axis", "frontal axis from −30 to −90 degrees",
            All(Is("qrs_axis_deg", "<", -30), Is("qrs_axis_deg", ">=", -90)), AHA_III,
        ),
        Not(Has("indeterminate_axis")),
    ),
    AHA_III,
)  # fmt: skip
RIGHT = Finding(
    "right_axis_deviation", "Right axis deviation", "axis",
    All(
        Criterion("axis", "frontal axis from 90 to 180 degrees", Is("qrs_axis_deg", ">", 90), AHA_III),
        Not(Has("indeterminate_axis")),
    ),
    AHA_III,
)  # fmt: skip
EXTREME = Finding(
    "extreme_axis_deviation", "Extreme axis deviation", "axis",
    All(
        Criterion("axis", "frontal axis between −90 and −180 degrees", Is("qrs_axis_deg", "<", -90), AHA_III),
        Not(Has("indeterminate_axis")),
    ),
    AHA_III,
)  # fmt: skip

AXIS = (INDETERMINATE, LEFT, RIGHT, EXTREME)
