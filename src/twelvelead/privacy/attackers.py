"""All attackers."""

from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.lda import LDA_BEATS, LDA_FEATURES
from twelvelead.privacy.pairs import XGB_FEATURES
from twelvelead.privacy.template import TEMPLATE

ATTACKERS: dict[str, Attacker] = {a.key: a for a in (TEMPLATE, LDA_BEATS, LDA_FEATURES, XGB_FEATURES)}
"""By their key, from the one who knows least."""
