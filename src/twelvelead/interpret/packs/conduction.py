"""Conduction: PR interval, pre-excitation, bundle branch and fascicular blocks."""

from twelvelead.interpret.criteria import All, Criterion, Finding, Has, InLeads, Is, Not, Share, any_of
from twelvelead.interpret.packs.sources import AHA_III, BRADYCARDIA, MINNESOTA

SEEN_MV = 0.05
"""What is smaller than half a millimetre is not seen on paper: no q or r wave to a criterion that asks for one."""
SLURRED = 0.2
"""Ours, for want of a published number: the first 30 ms of QRS on average a fifth as steep as its steepest part."""
NO_PR = ("paced_rhythm", "atrial_fibrillation", "atrial_flutter")

_WIDE = Criterion("wide", "QRS duration of 120 ms or more", Is("qrs_duration_ms", ">=", 120), AHA_III)
_NOT_WIDE = Criterion("not_wide", "QRS duration below 120 ms", Is("qrs_duration_ms", "<", 120), AHA_III)
_INCOMPLETE = Criterion(
    "prolonged", "QRS duration from 110 to below 120 ms",
    All(Is("qrs_duration_ms", ">=", 110), Is("qrs_duration_ms", "<", 120)), AHA_III,
)  # fmt: skip

FIRST_DEGREE = Finding(
    "first_degree_av_block", "First-degree atrioventricular block", "conduction",
    Criterion("long_pr", "PR interval above 200 ms", Is("pr_interval_ms", ">", 200), BRADYCARDIA),
    BRADYCARDIA, unless=NO_PR,
)  # fmt: skip
LONG_PR = Finding(
    "pr_220", "PR interval of 220 ms or more", "conduction",
    Criterion("long_pr", "PR interval of 220 ms or more (code 6-3)", Is("pr_interval_ms", ">=", 220), MINNESOTA),
    MINNESOTA, unless=NO_PR,
)  # fmt: skip

SECOND_DEGREE = Finding(
    "second_degree_av_block", "Second-degree atrioventricular block", "conduction",
    All(
        Criterion(
            "dropped", "an RR interval one and a half times the median of those before, or longer",
            Is("rr_longest_to_preceding_ratio", ">=", 1.5), BRADYCARDIA,
        ),
        Criterion(
            "blocked_p", "in it a P wave that no QRS complex follows", Is("p_unconducted_in_pause_count", ">=", 1),
            BRADYCARDIA,
        ),
    ),
    BRADYCARDIA, unless=NO_PR,
)  # fmt: skip

PREEXCITATION = Finding(
    "preexcitation", "Ventricular pre-excitation", "conduction",
    All(
        Criterion("short_pr", "PR interval below 120 ms", Is("pr_interval_ms", "<", 120), AHA_III),
        Criterion("delta", "slurred beginning of QRS", Is("qrs_onset_slope_ratio", "<", SLURRED), AHA_III),
        Criterion("wide", "QRS duration above 120 ms", Is("qrs_duration_ms", ">", 120), AHA_III),
    ),
    AHA_III, unless=NO_PR,
)  # fmt: skip

# --- left bundle branch -----------------------------------------------------------------------------------------------

_NO_Q = Criterion(
    "no_q", "no q wave in I, V5 and V6", InLeads(("I", "V5", "V6"), Is("q_amplitude_{lead}_mv", ">", -SEEN_MV), 3),
    AHA_III,
)  # fmt: skip
_BROAD_R = Criterion(
    "broad_r", "broad (over 60 ms) or notched R wave in two or more of I, aVL, V5, V6",
    InLeads(
        ("I", "aVL", "V5", "V6"),
        All(
            Is("r_share_{lead}_ratio", ">", 0.5),
            any_of(Is("r_duration_{lead}_ms", ">", 60), Is("qrs_notch_{lead}_count", ">=", 1)),
        ),
        2,
    ),
    AHA_III,
)  # fmt: skip
_NEGATIVE_V1 = Criterion("v1_negative", "no dominant R wave in V1", Is("r_share_v1_ratio", "<", 0.5), AHA_III)

LBBB = Finding(
    "complete_lbbb", "Complete left bundle branch block", "conduction",
    All(
        _WIDE, _BROAD_R, _NO_Q, _NEGATIVE_V1,
        # An RS complex in V5 or V6, which the recommendation allows, has its R peak early: one of the two must do.
        Criterion(
            "late_r", "R peak later than 60 ms in V5 or V6",
            InLeads(("V5", "V6"), Is("r_peak_time_{lead}_ms", ">", 60)), AHA_III,
        ),
    ),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip

INCOMPLETE_LBBB = Finding(
    "incomplete_lbbb", "Incomplete left bundle branch block", "conduction",
    All(
        _INCOMPLETE, _NO_Q,
        Criterion(
            "late_r", "R peak later than 60 ms in V4, V5 and V6",
            InLeads(("V4", "V5", "V6"), Is("r_peak_time_{lead}_ms", ">", 60), 3), AHA_III,
        ),
        Criterion(
            "hypertrophy", "presence of the left ventricular hypertrophy pattern", Has("lvh"), AHA_III,
        ),
    ),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip

# --- right bundle branch ----------------------------------------------------------------------------------------------

_SECOND_R = InLeads(
    ("V1", "V2"),
    All(
        Is("r_amplitude_{lead}_mv", ">", 0.0),
        Is("s_amplitude_{lead}_mv", "<=", -SEEN_MV),
        Is("r_prime_amplitude_{lead}_mv", ">=", SEEN_MV),
        any_of(
            Is("r_prime_duration_{lead}_ms", ">", Share("r_duration_{lead}_ms")),
            Is("r_prime_amplitude_{lead}_mv", ">", Share("r_amplitude_{lead}_mv")),
        ),
    ),
)
_LATE_DOMINANT_R = All(Is("r_share_v1_ratio", ">", 0.5), Is("r_peak_time_v1_ms", ">", 50))
_RIGHT_V1 = Criterion(
    "rsr", "rsr′, rsR′ or rSR′ in V1 or V2, R′ wider or taller than r; or a dominant R in V1 that peaks after 50 ms",
    any_of(_SECOND_R, _LATE_DOMINANT_R), AHA_III,
)  # fmt: skip
_WIDE_S = Criterion(
    "wide_s", "S wave longer than R or than 40 ms in I or V6",
    InLeads(
        ("I", "V6"),
        All(
            Is("s_amplitude_{lead}_mv", "<=", -SEEN_MV),
            any_of(
                Is("s_late_duration_{lead}_ms", ">", 40),
                Is("s_late_duration_{lead}_ms", ">", Share("r_duration_{lead}_ms")),
            ),
        ),
    ),
    AHA_III,
)  # fmt: skip

RBBB = Finding(
    "complete_rbbb", "Complete right bundle branch block", "conduction",
    All(
        _WIDE, _RIGHT_V1, _WIDE_S,
        Criterion("no_lbbb", "not left bundle branch block", Not(Has("complete_lbbb")), AHA_III),
    ),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip
INCOMPLETE_RBBB = Finding(
    "incomplete_rbbb", "Incomplete right bundle branch block", "conduction", All(_INCOMPLETE, _RIGHT_V1, _WIDE_S),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip

# --- neither ----------------------------------------------------------------------------------------------------------

NONSPECIFIC = Finding(
    "intraventricular_delay", "Nonspecific intraventricular conduction disturbance", "conduction",
    All(
        Criterion("prolonged", "QRS duration above 110 ms", Is("qrs_duration_ms", ">", 110), AHA_III),
        Criterion(
            "no_branch", "criteria of neither bundle branch block met",
            Not(any_of(*map(Has, ("complete_lbbb", "complete_rbbb", "incomplete_lbbb", "incomplete_rbbb")))), AHA_III,
        ),
    ),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip

LAFB = Finding(
    "left_anterior_fascicular_block", "Left anterior fascicular block", "conduction",
    All(
        Criterion(
            "axis", "frontal axis from −45 to −90 degrees",
            All(Is("qrs_axis_deg", ">=", -90), Is("qrs_axis_deg", "<=", -45)), AHA_III,
        ),
        Criterion(
            "qr_avl", "qR complex in aVL",
            All(Is("q_amplitude_avl_mv", "<", 0.0), Is("r_share_avl_ratio", ">", 0.5)), AHA_III,
        ),
        Criterion("late_avl", "R peak in aVL at 45 ms or later", Is("r_peak_time_avl_ms", ">=", 45), AHA_III),
        _NOT_WIDE,
    ),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip

LPFB = Finding(
    "left_posterior_fascicular_block", "Left posterior fascicular block", "conduction",
    All(
        Criterion(
            "axis", "frontal axis from 90 to 180 degrees",
            All(Is("qrs_axis_deg", ">=", 90), Is("qrs_axis_deg", "<=", 180)), AHA_III,
        ),
        Criterion(
            "rs_left", "rS complexes in I and aVL",
            InLeads(("I", "aVL"), All(
                Is("r_amplitude_{lead}_mv", ">", 0.0), Is("s_amplitude_{lead}_mv", "<", 0.0),
                Is("r_share_{lead}_ratio", "<", 0.5),
            ), 2), AHA_III,
        ),
        Criterion(
            "qr_inferior", "qR complexes in III and aVF",
            InLeads(("III", "aVF"), All(
                Is("q_amplitude_{lead}_mv", "<", 0.0), Is("r_share_{lead}_ratio", ">", 0.5),
            ), 2), AHA_III,
        ),
        _NOT_WIDE,
    ),
    AHA_III, unless=("paced_rhythm", "preexcitation"),
)  # fmt: skip

BRANCHES = (PREEXCITATION, LBBB, RBBB)
"""What other findings can't be judged in."""
BLOCKS = (INCOMPLETE_LBBB, INCOMPLETE_RBBB, NONSPECIFIC, LAFB, LPFB)
