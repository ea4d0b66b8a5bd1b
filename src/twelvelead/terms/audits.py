"""The contracts of what an audit of re-identification finds."""

import polars as pl

from twelvelead.terms.contract import Column, Contract

_PROTOCOL = Column("protocol", pl.String, "Who is enrolled and who is looked for; see `privacy.PROTOCOLS`.")
_ATTACKER = Column("attacker", pl.String, "Who attacks; see `privacy.ATTACKERS`.")
_WHAT_IF = Column("what_if", pl.String, "What is done to the release; as_it_is: nothing.")
_WHY_NOT = Column("why_not", pl.String, "Why there is no figure, if there is none.", nullable=True)
_ESTIMATE = (
    Column("estimate", pl.Float64, "The figure; null where it can't be estimated.", nullable=True),
    Column("lower", pl.Float64, "Lower confidence limit, over resamples of people.", nullable=True),
    Column("upper", pl.Float64, "Upper confidence limit.", nullable=True),
    Column("n_people", pl.Int64, "People who are looked for."),
    Column("level", pl.Float64, "Confidence level of the interval, e.g. 0.95."),
)
_GALLERY = Column("gallery", pl.Int64, "People enrolled, in the smallest gallery of several.")

AUDIT_ATTACKS = Contract(
    "attacks",
    ("protocol", "attacker", "figure"),
    (
        _PROTOCOL,
        _ATTACKER,
        Column(
            "figure",
            pl.String,
            "rank_1, rank_5: share of people named rightly, or among the first five; eer: equal error rate; "
            "tar_at_far_…: genuine pairs accepted where so many impostors are; cllr, min_cllr: bits; linkability: "
            "D_sys; dir_at_fpir_…: enrolled people named rightly where so many strangers are named; "
            "unknown_accepted, known_rejected, known_mistaken: at even odds; same_device_…: of impostors of the same "
            "device.",
        ),
        *_ESTIMATE,
        _GALLERY,
        Column("leaks", pl.Boolean, "Whether enrolment and probe share what no two recordings would share."),
        _WHY_NOT,
    ),
)
"""What every attacker reaches under every protocol."""

AUDIT_TRAITS = Contract(
    "traits",
    ("trait", "model", "split"),
    (
        Column("trait", pl.String, "sex_auroc, age_mae (years) or age_r2."),
        Column("model", pl.String, "Who reads it off: nearest or linear, on beats or features."),
        Column(
            "split",
            pl.String,
            "leaky: a person's units on both sides; sound: people on one side; person: the same, one answer per "
            "person; leakage: leaky less sound; baseline: without any ECG.",
        ),
        *_ESTIMATE,
        _WHY_NOT,
    ),
)
"""Sex and age, read off people never seen and off people seen before."""

AUDIT_SUBJECTS = Contract(
    "subjects",
    ("subject_id",),
    (
        Column("subject_id", pl.String, "Person."),
        _PROTOCOL,
        _ATTACKER,
        Column("n_probes", pl.Int64, "Recordings by which the person was looked for."),
        Column("rank_1", pl.Float64, "Share of them by which the person came first.", "1"),
        Column("rank_5", pl.Float64, "Share by which the person was among the first five.", "1"),
        Column("beaten", pl.Float64, "Mean share of the other people who looked less alike.", "1"),
    ),
)
"""How exposed each person is to the strongest attack."""

AUDIT_UNIQUENESS = Contract(
    "uniqueness",
    ("rounded_to", "share"),
    (
        Column("rounded_to", pl.String, "resolution or error."),
        Column(
            "share",
            pl.String,
            "unique: people whose row of printed numbers nobody else has; linked: of those with two recordings, people "
            "who have the same row again, and nobody else has it.",
        ),
        *_ESTIMATE,
        Column("smallest", pl.Int64, "The k of k-anonymity: people who share the rarest row."),
        _WHY_NOT,
    ),
)
"""Whether a row of rounded numbers is the only one of its kind."""

AUDIT_GALLERY = Contract(
    "gallery",
    ("gallery",),
    (
        Column("gallery", pl.Int64, "People enrolled."),
        Column("share", pl.Float64, "Share of people named rightly.", "1"),
        Column("extrapolated", pl.Boolean, "Whether it is a line drawn beyond the people at hand."),
    ),
)
"""The strongest attack in galleries of other sizes."""

AUDIT_CMC = Contract(
    "cmc",
    ("rank",),
    (
        Column("rank", pl.Int64, "Number of names allowed."),
        Column("share", pl.Float64, "Share of people who are among them.", "1"),
    ),
)
"""The cumulative match characteristic of the strongest attack."""

AUDIT_SEGMENTS = Contract(
    "segments",
    ("segment", "figure"),
    (
        _ATTACKER,
        Column("segment", pl.String, "Part of the beat: P, PR, Q, R, S, ST, T, TP, or QRS as a whole."),
        Column(
            "figure",
            pl.String,
            "duration: share of the beat that it lasts; alone_rank_1: share of people named rightly from it alone; "
            "lost_rank_1: fall of that share where it is replaced by the mean beat of all; shapley: its exact Shapley "
            "value of the share of impostors beaten, of which one half is had without any ECG.",
        ),
        Column("estimate", pl.Float64, "The figure."),
        Column("lower", pl.Float64, "Lower confidence limit, over resamples of people.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit.", nullable=True),
    ),
)
"""What each segment of the beat gives away."""

WHAT_IF_ATTACKS = Contract(
    "what_if_attacks",
    ("what_if", "attacker", "fitted", "figure"),
    (
        _WHAT_IF,
        _ATTACKER,
        Column(
            "fitted",
            pl.String,
            "refitted: the attacker expects what was done, and learns from a release to which the same was done; "
            "unprepared: the attacker has learnt from, and enrolled, the release as recorded.",
        ),
        Column("figure", pl.String, "rank_1 or eer."),
        *_ESTIMATE,
        _GALLERY,
        _WHY_NOT,
    ),
)
"""What every attacker reaches after every what-if."""


def _estimate(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(name, pl.Float64, f"{meaning}; null where it can't be estimated.", "1", nullable=True),
        Column(f"{name}_lower", pl.Float64, "Lower confidence limit.", "1", nullable=True),
        Column(f"{name}_upper", pl.Float64, "Upper confidence limit.", "1", nullable=True),
    )


WHAT_IFS = Contract(
    "what_ifs",
    ("what_if",),
    (
        _WHAT_IF,
        Column("title", pl.String, "In words."),
        Column("gives", pl.String, "Whether signals or numbers are given away."),
        Column("parameters", pl.String, "What it was set to, as JSON."),
        Column("attacker", pl.String, "The attacker who names most people rightly; empty if none could."),
        Column("fitted", pl.String, "Whether that one is refitted or unprepared, see what_if_attacks; or empty."),
        *_estimate("risk", "Share of people this attacker names rightly"),
        *_estimate("refitted", "Share that the best of the refitted attackers names rightly"),
        *_estimate("unprepared", "Share that the best of the unprepared attackers names rightly"),
        *_estimate("change", "Change of the risk against the release as recorded, on the same people"),
        *_estimate("kept", "Cohen's kappa of findings with those of the release as recorded"),
        Column("n_people", pl.Int64, "People who are looked for."),
        _GALLERY,
        Column("pareto", pl.Boolean, "Whether no other what-if has as little risk and as much use, and more of one."),
        _WHY_NOT,
    ),
)
"""The frontier of risk against use."""

WHAT_IF_ERRORS = Contract(
    "what_if_errors",
    ("what_if", "quantity"),
    (
        _WHAT_IF,
        Column("quantity", pl.String, "Measurement; amplitudes of all leads together."),
        Column("unit", pl.String, "Of the errors."),
        Column("n", pl.Int64, "Values before and after."),
        Column("lost", pl.Float64, "Share of the values that can't be measured any more.", "1"),
        Column("median_error", pl.Float64, "Median absolute difference from what was recorded.", nullable=True),
        Column("high_error", pl.Float64, "Its 95th percentile.", nullable=True),
        Column("own_error", pl.Float64, "Standard deviation of the measurement's own error.", nullable=True),
    ),
)
"""How wrong measurements become."""

AUDITS = (
    AUDIT_ATTACKS,
    AUDIT_TRAITS,
    AUDIT_SUBJECTS,
    AUDIT_UNIQUENESS,
    AUDIT_GALLERY,
    AUDIT_CMC,
    AUDIT_SEGMENTS,
    WHAT_IF_ATTACKS,
    WHAT_IFS,
    WHAT_IF_ERRORS,
)
