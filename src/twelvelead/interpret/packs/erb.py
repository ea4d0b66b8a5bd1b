"""The 17 diagnoses of ECG-Reasoning-Benchmark, with its thresholds: a test's conventions, not a guideline's."""

from twelvelead.interpret.criteria import All, AtLeast, Criterion, Finding, InLeads, Is, Not, Pack, Share, Test, any_of
from twelvelead.interpret.reasoning_benchmark_steps import MADE, OUT, Step, as_test

BENCHMARK = "doi:10.48550/arXiv.2603.14326"

ANTERIOR_MI, ANTERIOR = ("V1", "V2", "V3", "V4"), ("V2", "V3", "V4")
INFERIOR, LATERAL = ("II", "III", "aVF"), ("I", "aVL", "V5", "V6")

READABLE_MV = 0.05
"""The benchmark says of an inverted T wave, a strain's ST depression and a small r nothing but these words. Half a
millimetre is where a deflection can be read from paper; a small r is under one millimetre. A small initial wave makes a
qR or rS complex as soon as it is recorded (20 µV); one that must be absent is so if it can't be read."""
SMALL_R_MV, DEEP = 0.1, 5.0
WIDER, LONGER, REGULAR = 1.2, 1.2, 0.1
"""Nor of what is significantly wider or longer (by a fifth, as for a premature RR interval) and of a regular rhythm
(standard deviation of RR under a tenth of its mean)."""
WIDE_MS, INCOMPLETE_MS = 120.0, 110.0
LITTLE_S = 0.1
"""A qR complex may have an S of a tenth of its R."""


def _c(key: str, text: str, test: Test) -> Criterion:
    return Criterion(key, text, test, BENCHMARK)


_Q, _R, _S = (f"{wave}_seen_amplitude_{{lead}}_mv" for wave in "qrs")
_NO_Q, _HAS_Q = Is(_Q, ">=", 0), Is(_Q, "<", 0)
_MONOPHASIC = All(Is(_R, ">", 0), _NO_Q, Is(_S, ">=", 0))
_RECORDED_Q, _RECORDED_R, _RECORDED_S = (f"{wave}_amplitude_{{lead}}_mv" for wave in "qrs")
_QR = All(
    Is(_RECORDED_Q, "<", 0), Is(_RECORDED_R, ">", Share(_RECORDED_Q, -1)), Is(_S, ">=", Share(_RECORDED_R, -LITTLE_S))
)  # fmt: skip
_RS = All(
    Is(_RECORDED_Q, ">", -READABLE_MV), Is(_RECORDED_R, ">", 0), Is(_RECORDED_S, "<", Share(_RECORDED_R, -1))
)  # fmt: skip
_QS = All(_HAS_Q, Is(_R, "<=", 0))
_SMALL_R = All(Is(_R, ">", 0), Is(_R, "<", SMALL_R_MV), Is(_S, "<", Share(_R, -DEEP)))
_LONG_Q = Is("q_seen_duration_{lead}_ms", ">", 30)
_SLURRED_S = All(
    Is(_R, ">", 0), Is(_S, "<", 0),
    any_of(
        Is("s_seen_duration_{lead}_ms", ">", Share("r_seen_duration_{lead}_ms")),
        Is("s_seen_duration_{lead}_ms", ">", 40),
    ),
)  # fmt: skip
_INVERTED = Is("t_amplitude_{lead}_mv", "<", -READABLE_MV)


def _depression(leads: tuple[str, ...]) -> InLeads:
    return InLeads(leads, Is("st_common_j_{lead}_mv", "<", -0.07), at_least=2)


def _elevation(region: str, leads: tuple[str, ...]) -> Criterion:
    test = InLeads(leads, Is("st_common_j_{lead}_mv", ">", 0.1), at_least=2)
    return _c("st_elevation", f"Presence of ST-segment elevation in {region} leads", test)


def _q_waves(region: str, leads: tuple[str, ...], deep: Is) -> Criterion:
    test = InLeads(leads, any_of(_QS, All(_LONG_Q, deep), _SMALL_R), at_least=2)
    return _c("q_waves", f"Presence of pathological Q waves in {region} leads", test)


def _ischaemia(region: str, leads: tuple[str, ...], depressed: Test) -> Step:
    t = _c("t_inversion", f"Presence of inverted T waves in {region} leads", InLeads(leads, _INVERTED, at_least=2))
    st = _c("st_depression", f"Presence of ST-segment depression in {region} leads", depressed)
    return Step(st, MADE, Step(t, MADE, OUT))


def _infarction(region: str, leads: tuple[str, ...], deep: Is) -> Step:
    return Step(_elevation(region, leads), MADE, Step(_q_waves(region, leads, deep), MADE, OUT))


_DEEP_FOR_R = Is(_Q, "<", Share(_R, -0.2))
_V2_DEPRESSED = InLeads(("V2",), Is("st_common_j_{lead}_mv", "<", -0.1))
_ANTERIOR_DEPRESSED = AtLeast(
    2, _V2_DEPRESSED, *(InLeads((lead,), Is("st_common_j_{lead}_mv", "<", -0.07)) for lead in ("V3", "V4"))
)

_PREMATURE = _c("premature", "Presence of premature beats", Is("premature_beat_count", ">=", 1))


def _wide(which: str) -> All:
    name = f"premature_qrs_{which}_ms"
    return All(Is(name, ">=", WIDE_MS), Is(name, ">", Share("qrs_extent_ms", WIDER)))


_BEAT = "significant QRS prolongation in the premature beat compared to normal beats"
_PVC = Step(_PREMATURE, Step(_c("wide", f"Presence of {_BEAT}", _wide("widest")), MADE, OUT), OUT)
_PAC = Step(
    _PREMATURE, Step(_c("narrow", f"Absence of {_BEAT}", Not(_wide("narrowest"))), MADE, OUT, asked_opposite=True),
    OUT,
)  # fmt: skip

_QRS_LONG = _c("qrs_long", "Prolongation of the QRS duration", Is("qrs_extent_ms", ">", WIDE_MS))
_S_DOMINANT = _c(
    "s_dominant", "Presence of a dominant S wave in leads V1 and V2",
    InLeads(("V1", "V2"), Is("qrs_depth_{lead}_mv", ">", Share("qrs_height_{lead}_mv")), at_least=2),
)  # fmt: skip
_R_ALONE = _c(
    "r_alone", "Presence of a positive monophasic QRS complex without a Q wave in lateral leads",
    InLeads(("I", "aVL", "V6"), _MONOPHASIC, at_least=2),
)  # fmt: skip
_NOTCH = _c(
    "notch", "Presence of a notched R wave in lateral leads", InLeads(LATERAL, Is("qrs_notch_{lead}_count", ">=", 1))
)
_LATE_R = _c(
    "late_r", "Presence of a broad monophasic R wave with a prolonged R wave peak time in leads V5 and V6",
    InLeads(("V5", "V6"), All(_MONOPHASIC, Is("r_peak_time_{lead}_ms", ">=", 55))),
)  # fmt: skip
_CLBBB = Step(
    _QRS_LONG, Step(_S_DOMINANT, Step(_R_ALONE, Step(_NOTCH, MADE, Step(_LATE_R, MADE, OUT)), OUT), OUT), OUT
)  # fmt: skip

_RSR = _c(
    "rsr", "Presence of an RSR' pattern in leads V1 and V2",
    InLeads(("V1", "V2"), Is("r_prime_seen_amplitude_{lead}_mv", ">", 0)),
)  # fmt: skip
_S_SLURRED = _c("s_slurred", "Presence of a slurred S wave in lateral leads", InLeads(LATERAL, _SLURRED_S, at_least=2))
_BROAD = All(_MONOPHASIC, Is("r_seen_duration_{lead}_ms", ">", 120), Is("r_peak_time_{lead}_ms", ">", 55))
_R_BROAD = _c(
    "r_broad", "Presence of a broad monophasic R wave or qR pattern in lead V1", InLeads(("V1",), any_of(_BROAD, _QR))
)
_S_THEN = Step(_S_SLURRED, MADE, OUT)
_CRBBB = Step(_QRS_LONG, Step(_RSR, _S_THEN, Step(_R_BROAD, _S_THEN, OUT)), OUT)

_ANY_LBBB = _c(
    "lbbb", "Presence of left bundle branch block",
    All(Is("qrs_extent_ms", ">=", INCOMPLETE_MS), _S_DOMINANT.test, _R_ALONE.test, any_of(_NOTCH.test, _LATE_R.test)),
)  # fmt: skip
_ANY_RBBB = _c(
    "rbbb", "Presence of right bundle branch block",
    All(Is("qrs_extent_ms", ">=", INCOMPLETE_MS), any_of(_RSR.test, _R_BROAD.test), _S_SLURRED.test),
)  # fmt: skip


def _pattern(name: str, test: Test, leads: tuple[str, ...]) -> Criterion:
    words = " and ".join(leads) if len(leads) == 2 else f"{', '.join(leads[:-1])}, and {leads[-1]}"
    return _c(
        f"{name.split()[1].lower()}_pattern", f"Presence of {name} pattern in leads {words}", InLeads(leads, test)
    )


def _axis(key: str, text: str, low: float, high: float) -> Criterion:
    return _c(key, text, All(Is("qrs_axis_deg", ">", low), Is("qrs_axis_deg", "<=", high)))


_LAFB = Step(
    _ANY_LBBB, OUT,
    Step(
        _axis("left_axis", "Presence of left axis deviation", -90, -30),
        Step(_pattern("a qR", _QR, ("I", "aVL")), Step(_pattern("an rS", _RS, INFERIOR), MADE, OUT), OUT),
        OUT,
    ),
)  # fmt: skip
_LPFB = Step(
    _ANY_LBBB, OUT,
    Step(
        _axis("right_axis", "Presence of right axis deviation", 90, 180),
        Step(_pattern("an rS", _RS, ("I", "aVL")), Step(_pattern("a qR", _QR, INFERIOR), MADE, OUT), OUT),
        OUT,
    ),
)  # fmt: skip

_R_AVL = _c("r_avl", "R wave amplitude in lead aVL > 1.1mV", Is("qrs_height_avl_mv", ">", 1.1))
_SOKOLOW = _c("sokolow", "Sum of S amplitude in V1 and R amplitude in V5/V6 > 3.5mV", Is("sokolow_lyon_mv", ">", 3.5))
_CORNELL = _c(
    "cornell", "Cornell Product ((R amplitude in aVL + S amplitude in V3) x QRS duration) > 0.244mV*s",
    Is("cornell_extent_mvms", ">", 244),
)  # fmt: skip
_STRAIN = _c(
    "strain", "Presence of an LV strain pattern in lateral leads",
    InLeads(LATERAL, All(Is("st_common_j_{lead}_mv", "<", -READABLE_MV), _INVERTED)),
)  # fmt: skip


def _voltages(criteria: tuple[Criterion, ...], n_met: int = 0) -> Step | bool:
    """Ask for each voltage; two make the diagnosis, one needs strain beside."""
    if not criteria:
        return Step(_STRAIN, MADE, OUT) if n_met == 1 else n_met > 1
    return Step(criteria[0], _voltages(criteria[1:], n_met + 1), _voltages(criteria[1:], n_met))


_VOLTAGES = (_R_AVL, _SOKOLOW, _CORNELL)
_LVH = Step(_R_AVL, _voltages(_VOLTAGES[1:], 1), _voltages(_VOLTAGES[1:]))
_LVH_TEST = any_of(AtLeast(2, *_VOLTAGES), All(any_of(*_VOLTAGES), _STRAIN))
_RVH = Step(
    _ANY_RBBB,
    Step(
        _axis("axis_over_60", "QRS axis > +60 degrees", 60, 180), MADE,
        Step(_c("r_v1", "R wave amplitude in V1 > 1.5mV", Is("qrs_height_v1_mv", ">", 1.5)), MADE, OUT),
    ),
    Step(
        _axis("right_axis", "Presence of right axis deviation", 100, 180),
        Step(
            _c(
                "r_dominant", "Presence of a dominant R wave in V1",
                Is("qrs_height_v1_mv", ">", Share("qrs_depth_v1_mv")),
            ),
            MADE, OUT,
        ),
        OUT,
    ),
)  # fmt: skip

_LOST_P = Is("p_unconducted_in_pause_count", ">=", 1)
_FIRST = Step(
    _c(
        "conducted", "Evidence of consistent 1:1 atrioventricular conduction",
        All(Is("p_present_probability", ">=", 0.5), Is("af_evidence_probability", "<", 0.5), Not(_LOST_P)),
    ),
    Step(_c("pr_long", "Prolongation of the PR interval", Is("pr_extent_ms", ">", 200)), MADE, OUT), OUT,
)  # fmt: skip
_SECOND = Step(
    _c("dropped", "Occurrence of intermittent dropped beats", Is("rr_longest_to_preceding_ratio", ">", LONGER)),
    Step(_c("lost_p", "Presence of a non-conducted P wave within the dropped interval", _LOST_P), MADE, OUT), OUT,
)  # fmt: skip
_THIRD = Step(
    _c("slow", "Presence of bradycardia (slow ventricular rate)", Is("heart_rate_bpm", "<", 70)),
    Step(
        _c("regular", "Regularity of the RR intervals", Is("rr_variation_ratio", "<", REGULAR)),
        Step(
            _c("fibrillation", "Presence of atrial fibrillation", Is("af_evidence_probability", ">=", 0.5)), OUT,
            Step(
                _c(
                    "dissociation", "Presence of AV dissociation",
                    All(Is("p_own_time_ratio", ">=", 0.9), Is("pr_scatter_ms", ">", 40)),
                ),
                MADE, OUT,
            ),
        ),
        OUT,
    ),
    OUT,
)  # fmt: skip

STEPS: dict[str, Step] = {
    "premature_ventricular_complex": _PVC,
    "premature_atrial_complex": _PAC,
    "first_degree_av_block": _FIRST,
    "second_degree_av_block": _SECOND,
    "third_degree_av_block": _THIRD,
    "complete_left_bundle_branch_block": _CLBBB,
    "complete_right_bundle_branch_block": _CRBBB,
    "left_anterior_fascicular_block": _LAFB,
    "left_posterior_fascicular_block": _LPFB,
    "left_ventricular_hypertrophy": _LVH,
    "right_ventricular_hypertrophy": _RVH,
    "anterior_ischemia": _ischaemia("anterior", ANTERIOR, _ANTERIOR_DEPRESSED),
    "inferior_ischemia": _ischaemia("inferior", INFERIOR, _depression(INFERIOR)),
    "lateral_ischemia": _ischaemia("lateral", LATERAL, _depression(LATERAL)),
    "anterior_myocardial_infarction": _infarction("anterior", ANTERIOR_MI, Is(_Q, "<", -0.075)),
    "inferior_myocardial_infarction": _infarction("inferior", INFERIOR, _DEEP_FOR_R),
    "lateral_myocardial_infarction": _infarction("lateral", LATERAL, _DEEP_FOR_R),
}
"""In which order the benchmark asks for the criteria of each diagnosis, by the diagnosis's name there."""

_GROUPS = {
    "complex": "ectopy", "av_block": "conduction", "branch_block": "conduction", "fascicular_block": "conduction",
    "hypertrophy": "chambers", "ischemia": "ischaemia", "infarction": "infarction",
}  # fmt: skip


def _finding(key: str, step: Step) -> Finding:
    group = next(group for ending, group in _GROUPS.items() if key.endswith(ending))
    label = key.replace("_", " ").capitalize().replace("av block", "AV block")
    return Finding(key, label, group, _LVH_TEST if step is _LVH else as_test(step), BENCHMARK)


PACK = Pack(
    "erb", "ECG-Reasoning-Benchmark", BENCHMARK, tuple(_finding(key, step) for key, step in STEPS.items())
)  # fmt: skip
