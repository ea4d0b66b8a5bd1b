"""Which part of a beat gives people away: a table for an audit."""

import numpy as np
import polars as pl

from twelvelead.privacy.attribution import attribute
from twelvelead.privacy.coalitions import refitted
from twelvelead.privacy.people import Release
from twelvelead.privacy.protocols import NotEstimable, cross_record
from twelvelead.privacy.segments import segment_beats
from twelvelead.privacy.template import TEMPLATE
from twelvelead.privacy.units import Units
from twelvelead.terms.audits import AUDIT_SEGMENTS
from twelvelead.validate import Bootstrap

MOST_PEOPLE = 200
"""Of so many people, drawn by the seed, segments are tried: 256 attacks of all people on all take too long."""
_FIGURES = {
    "duration_share": "duration",
    "alone_rank_1": "alone_rank_1",
    "lost_rank_1": "lost_rank_1",
    "shapley_impostors_beaten": "shapley",
}


def tabulate_segments(release: Release, beats: Units, *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Say what each segment of the beat is worth to the attacker who needs no training.

    Parameters
    ----------
    release : Release
        As it would be given away.
    beats : Units
        Its beats.
    bootstrap : Bootstrap
        How people are drawn.

    Returns
    -------
    DataFrame keeping `terms.audits.AUDIT_SEGMENTS`
        Empty where too few people have two recordings.

    Notes
    -----
    The attack is made anew from each of the 256 sets of segments, the others replaced by the mean beat of all people.
    """
    people = np.unique(beats.subject)
    if people.size > MOST_PEOPLE:
        drawn = np.random.default_rng(bootstrap.seed).choice(people, MOST_PEOPLE, replace=False)
        beats = beats.take(np.flatnonzero(np.isin(beats.subject, drawn)))
    game = refitted(TEMPLATE, cross_record, segment_beats(release, beats), seed=bootstrap.seed)
    if isinstance(game, NotEstimable):
        return AUDIT_SEGMENTS.empty()
    found = attribute(game, bootstrap=bootstrap, shapley=True).table().filter(pl.col("figure").is_in(list(_FIGURES)))
    return AUDIT_SEGMENTS.select(
        found.select(
            "attacker", "segment", pl.col("figure").replace_strict(_FIGURES), pl.col("value").alias("estimate"),
            "lower", "upper",
        ).to_dicts()
    )  # fmt: skip
