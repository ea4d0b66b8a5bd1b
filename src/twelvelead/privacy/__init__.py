"""How well people can be picked out of an ECG release: attackers, protocols and figures, each with its interval."""

from twelvelead.privacy.attacker import Attack, Attacker
from twelvelead.privacy.attackers import ATTACKERS
from twelvelead.privacy.beats import beat_units
from twelvelead.privacy.comparison import Comparison, compare, match_devices
from twelvelead.privacy.estimate import Estimate, Figure, difference, estimate
from twelvelead.privacy.features import feature_units
from twelvelead.privacy.identification import cmc, gallery_curve, rank_share, subject_risk
from twelvelead.privacy.likelihood_ratio import chance_linkability, cllr, linkability, min_cllr
from twelvelead.privacy.open_set import at_even_odds, dir_at_fpir
from twelvelead.privacy.people import Release, Sample, Transform
from twelvelead.privacy.protocols import PROTOCOLS, NotEstimable, Protocol, Trial, Trials, linkage
from twelvelead.privacy.simulated import simulated_people
from twelvelead.privacy.soft import SoftFigure, linear, nearest, read_age, read_sex
from twelvelead.privacy.transforms import add_noise, each_recording, resample_to
from twelvelead.privacy.uniqueness import Uniqueness, uniqueness
from twelvelead.privacy.units import Units
from twelvelead.privacy.verification import eer, tar_at_far

__all__ = [
    "ATTACKERS",
    "PROTOCOLS",
    "Attack",
    "Attacker",
    "Comparison",
    "Estimate",
    "Figure",
    "NotEstimable",
    "Protocol",
    "Release",
    "Sample",
    "SoftFigure",
    "Transform",
    "Trial",
    "Trials",
    "Uniqueness",
    "Units",
    "add_noise",
    "at_even_odds",
    "beat_units",
    "chance_linkability",
    "cllr",
    "cmc",
    "compare",
    "difference",
    "dir_at_fpir",
    "each_recording",
    "eer",
    "estimate",
    "feature_units",
    "gallery_curve",
    "linear",
    "linkability",
    "linkage",
    "match_devices",
    "min_cllr",
    "nearest",
    "rank_share",
    "read_age",
    "read_sex",
    "resample_to",
    "simulated_people",
    "subject_risk",
    "tar_at_far",
    "uniqueness",
]
