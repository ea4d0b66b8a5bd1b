"""Low voltage, and electrodes that seem to be exchanged."""

from twelvelead.interpret.criteria import All, Criterion, Finding, Is, Not, any_of
from twelvelead.interpret.packs.sources import AHA_II, EXCHANGED

LOW_VOLTAGE = Finding(
    "low_voltage", "Low QRS voltage", "voltage",
    any_of(
        Criterion(
            "limb", "QRS below 0.5 mV from peak to peak in every limb lead", Is("qrs_limb_voltage_mv", "<", 0.5), AHA_II
        ),
        Criterion(
            "chest", "QRS below 1.0 mV from peak to peak in every chest lead",
            Is("qrs_chest_voltage_mv", "<", 1.0), AHA_II,
        ),
    ),
    AHA_II,
)  # fmt: skip
ARMS = Finding(
    "arm_electrodes", "Right and left arm electrodes exchanged", "leads",
    Criterion(
        "inverted_i", "P, QRS and T all turned in lead I against V6", Is("lead_arm_reversal_ratio", ">=", 1.0),
        EXCHANGED,
    ),
    EXCHANGED, unless=("paced_rhythm", "atrial_fibrillation", "atrial_flutter"),
)  # fmt: skip
ARM_AND_LEG = Finding(
    "arm_leg_electrodes", "Right arm and left leg electrodes exchanged", "leads",
    Criterion(
        "inverted_ii", "P, QRS and T all turned in lead II against V6", Is("lead_leg_reversal_ratio", ">=", 1.0),
        EXCHANGED,
    ),
    EXCHANGED, unless=("paced_rhythm", "atrial_fibrillation", "atrial_flutter"),
)  # fmt: skip
RIGHT_LEG = Finding(
    "right_leg_electrode", "Right leg electrode exchanged with an arm's", "leads",
    All(
        Criterion(
            "flat_lead", "QRS nearly flat in one of I, II, III: below 0.05 mV", Is("lead_limb_flattest_mv", "<", 0.05),
            EXCHANGED,
        ),
        Criterion(
            "others", "the other limb leads not of low voltage", Not(Is("qrs_limb_voltage_mv", "<", 0.5)), EXCHANGED
        ),
    ),
    EXCHANGED,
)  # fmt: skip
CHEST_ORDER = Finding(
    "chest_electrodes", "Chest electrodes out of order", "leads",
    Criterion(
        "rougher", "V1 to V6 follow one another much more smoothly with two of them exchanged",
        Is("lead_chest_order_ratio", "<", 0.7), EXCHANGED,
    ),
    EXCHANGED,
)  # fmt: skip

ELECTRODES = (LOW_VOLTAGE, ARMS, ARM_AND_LEG, RIGHT_LEG, CHEST_ORDER)
