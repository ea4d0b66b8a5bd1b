"""All numbers that criteria need beside the CATALOGUE, gathered from the files that say how each is made."""

from collections.abc import Mapping

from twelvelead.interpret import atrial, beat_to_beat, qrs_extent, seen_waves, sequences, waves
from twelvelead.interpret.derivation import Derived
from twelvelead.measure import Heartbeat
from twelvelead.signal.recording import Recording

DERIVED: tuple[Derived, ...] = (
    *qrs_extent.DERIVED,
    *seen_waves.DERIVED,
    *sequences.DERIVED,
    *atrial.DERIVED,
    *waves.DERIVED,
    *beat_to_beat.DERIVED,
)
"""A number stands after those that it is made of."""

SEARCHED = (atrial.SEARCHED,)
"""What has to look at the signal itself."""

__all__ = ["DERIVED", "SEARCHED", "Derived", "derive"]


def derive(recording: Recording, heartbeat: Heartbeat, values: Mapping[str, float]) -> dict[str, float]:
    """Compute every derived number.

    Parameters
    ----------
    recording : Recording
        The ECG.
    heartbeat : Heartbeat
        Its beats and marks.
    values : mapping of str to float
        The CATALOGUE's measurements of it.

    Returns
    -------
    dict of str to float
        Those measurements, what was searched for in the signal, and the derived numbers.
    """
    known = dict(values)
    for searched in SEARCHED:
        known |= searched.search(recording, heartbeat)
    for derived in DERIVED:
        known[derived.name] = derived.function(heartbeat, known)
    return known
