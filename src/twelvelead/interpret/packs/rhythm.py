"""Rhythm: pacing, fibrillation, flutter, sinus rhythm and its rates, ectopic beats, pauses."""

from twelvelead.interpret.criteria import All, Criterion, Finding, Has, Is, Not, any_of
from twelvelead.interpret.packs.sources import AF, AHA_II, BRADYCARDIA, SVT, VENTRICULAR
from twelvelead.measure.kinds import REGULAR

_NO_P = Criterion(
    "no_p", "no distinct repeating P waves", Is("p_steady_probability", "<", 0.5), AF
)  # fmt: skip

PACED = Finding(
    "paced_rhythm", "Ventricular paced rhythm", "pacing",
    All(
        Criterion("spikes", "a spike at the onset of most QRS complexes", Is("pacing_onset_share", ">", 0.5), AHA_II),
        Criterion("wide", "wide QRS complexes", Is("qrs_duration_ms", ">=", 120), AHA_II),
    ),
    AHA_II,
)  # fmt: skip

FLUTTER = Finding(
    "atrial_flutter", "Atrial flutter", "rhythm",
    All(
        Criterion(
            "flutter_waves", "regular atrial waves of one rate from 220 to 370 per minute",
            Is("flutter_evidence_probability", ">=", 0.5), SVT,
        ),
        _NO_P,
    ),
    SVT,
)  # fmt: skip

FIBRILLATION = Finding(
    "atrial_fibrillation", "Atrial fibrillation", "rhythm",
    All(
        _NO_P,
        Criterion(
            "irregular", "RR intervals irregular, ectopic beats left aside",
            Is("rr_unprovoked_variation_ratio", ">=", REGULAR), AF,
        ),
        Criterion("no_flutter", "no regular atrial waves", Not(Has("atrial_flutter")), AF),
    ),
    AF, unless=("paced_rhythm",),
)  # fmt: skip

SINUS = Finding(
    "sinus_origin", "P waves from the sinus node", "rhythm",
    All(
        Criterion("p_waves", "distinct repeating P waves", Is("p_steady_probability", ">=", 0.5), BRADYCARDIA),
        Criterion(
            "p_upright", "P upright in II and inverted in aVR, by its area",
            All(Is("p_area_ii_mvms", ">", 0.0), Is("p_area_avr_mvms", "<", 0.0)), SVT,
        ),
        Criterion(
            "no_other", "no fibrillation, flutter or pacing",
            Not(any_of(Has("atrial_fibrillation"), Has("atrial_flutter"), Has("paced_rhythm"))), SVT,
        ),
    ),
    SVT,
)  # fmt: skip

_SLOW = Criterion("slow", "rate below 50 per minute", Is("heart_rate_bpm", "<", 50), BRADYCARDIA)
_FAST = Criterion("fast", "rate above 100 per minute", Is("heart_rate_bpm", ">", 100), SVT)

RATES = (
    Finding(
        "sinus_rhythm", "Sinus rhythm", "rhythm",
        All(Has("sinus_origin"), Criterion(
            "rate", "rate from 50 to 100 per minute",
            All(Is("heart_rate_bpm", ">=", 50), Is("heart_rate_bpm", "<=", 100)), BRADYCARDIA,
        )),
        BRADYCARDIA,
    ),
    Finding("sinus_bradycardia", "Sinus bradycardia", "rhythm", All(Has("sinus_origin"), _SLOW), BRADYCARDIA),
    Finding("sinus_tachycardia", "Sinus tachycardia", "rhythm", All(Has("sinus_origin"), _FAST), SVT),
    Finding(
        "sinus_arrhythmia", "Sinus arrhythmia", "rhythm",
        All(Has("sinus_origin"), Criterion(
            "varying", "RR intervals vary by more than 120 ms, ectopic beats left aside",
            Is("rr_unprovoked_range_ms", ">", 120), AHA_II,
        )),
        AHA_II,
    ),
)  # fmt: skip

ECTOPY = (
    Finding(
        "ventricular_premature", "Premature ventricular beats", "ectopy",
        Criterion(
            "early_wide", "a beat that is early, at least 120 ms wide and of another shape",
            Is("beat_ventricular_premature_count", ">=", 1), VENTRICULAR,
        ),
        VENTRICULAR, unless=("paced_rhythm",),
    ),
    Finding(
        "supraventricular_premature", "Premature supraventricular beats", "ectopy",
        Criterion(
            "early_narrow", "an early beat that is narrow, or of the usual shape, in a rhythm regular otherwise",
            Is("beat_supraventricular_premature_count", ">=", 1), SVT,
        ),
        SVT, unless=("paced_rhythm", "atrial_fibrillation", "atrial_flutter"),
    ),
    Finding(
        "bigeminy", "Bigeminy", "ectopy",
        Criterion(
            "every_second", "every second beat premature, three times running or more",
            Is("beat_bigeminy_share", ">", 0.0), AHA_II,
        ),
        AHA_II, unless=("paced_rhythm",),
    ),
    Finding(
        "pause", "Pause", "rhythm",
        Criterion("three_seconds", "an RR interval above 3 s", Is("rr_max_ms", ">", 3000), BRADYCARDIA),
        BRADYCARDIA,
    ),
)  # fmt: skip

RHYTHM = (PACED, FLUTTER, FIBRILLATION, SINUS, *RATES, *ECTOPY)
