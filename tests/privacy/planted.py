"""Beats drawn by hand, of people who differ in one wave or in none, with limits of segments that are known."""

from dataclasses import replace

import numpy as np
from tests.privacy.making import feature_rows

from twelvelead.privacy.segments import Segmented, lay_out

FS, AT_R_S, N_SAMPLES = 250.0, 0.24, 160
EDGES_S = (-0.20, -0.10, -0.05, -0.014, 0.014, 0.05, 0.12, 0.32)
WAVES = {  # middle s, width s, size mV
    "P": (-0.15, 0.016, 0.15),
    "Q": (-0.025, 0.006, -0.12),
    "R": (0.0, 0.006, 1.0),
    "S": (0.028, 0.006, -0.25),
    "T": (0.22, 0.030, 0.30),
}


def planted(signature, *, n_people=24, n_recordings=2, n_beats=4, seed=0, varied=0.3):
    """Draw size and lean of each wave for each recording, by `varied`, and of the signature for each person, by 0.3."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(N_SAMPLES) / FS - AT_R_S
    beats, subject, recording = [], [], []
    for person in range(n_people):
        own = rng.normal(size=2)
        for number in range(n_recordings):
            x = np.zeros(N_SAMPLES)
            for name, (middle, width, size) in WAVES.items():
                a, b = 0.3 * own if name == signature else varied * rng.normal(size=2)
                z = (time_s - middle) / width
                x += size * (1 + a + b * np.tanh(z)) * np.exp(-(z**2) / 2)
            beats += [x + 0.01 * rng.normal(size=N_SAMPLES) for _ in range(n_beats)]
            subject += [person] * n_beats
            recording += [person * n_recordings + number] * n_beats
    units = feature_rows(np.zeros((len(beats), 1)), subject, order=np.array(recording) % n_recordings)
    of_beats = {
        "x": np.array(beats, dtype=np.float32)[:, None],
        "recording": np.array(recording),
        "group": np.array(recording),
    }
    units = replace(units, **of_beats, fs=FS, at_r_s=AT_R_S, names=("I",))
    return Segmented(units, np.tile(lay_out(EDGES_S, time_s), (len(beats), 1)), "by hand")
