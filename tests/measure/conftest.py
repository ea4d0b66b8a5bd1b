"""A heart made of Gaussian waves, whose times and sizes are known."""

from pathlib import Path

import numpy as np
import pytest

from twelvelead.signal import Recording
from twelvelead.terms import LEADS

# Direction of each wave in space: X left, Y down, Z back (mV).
P_VECTOR = np.array([0.08, 0.12, 0.0])
Q_VECTOR = np.array([-0.12, -0.16, -0.15])
R_VECTOR = np.array([0.9, 0.7, 0.3])
S_VECTOR = np.array([-0.1, -0.15, 0.35])
T_VECTOR = np.array([0.30, 0.22, -0.10])
F_VECTOR = np.array([-0.2, 0.8, -0.6])

# Rows: I, II, V1–V6 seen from X, Y, Z (a plain torso).
VIEW = np.array([
    [1.0, 0.0, 0.0], [0.5, 0.87, 0.0], [-0.4, 0.1, -0.9], [0.1, 0.1, -1.1],
    [0.5, 0.2, -0.9], [0.9, 0.2, -0.4], [1.0, 0.2, 0.0], [0.9, 0.2, 0.3],
])  # fmt: skip
WAVES = (("p", -0.16, 0.022, P_VECTOR), ("q", -0.026, 0.007, Q_VECTOR), ("r", 0.0, 0.011, R_VECTOR),
         ("s", 0.028, 0.008, S_VECTOR), ("t", 0.28, 0.042, T_VECTOR))  # fmt: skip
"""Name, centre in s from the R wave, Gaussian width in s, vector."""


def beat_times(rr_s=0.8, duration_s=10.0, first_s=0.62):
    return np.arange(first_s, duration_s - 0.45, rr_s)


def heart(
    *, fs=500.0, times=None, duration_s=10.0, noise_mv=0.004, p=True, gain=1.0, seed=0, name="synthetic",
    st=(0.0, 0.0, 0.0), f_mv=0.0,
):  # fmt: skip
    """Twelve leads, 10 s; RR 0.8 s unless `times` (of the R waves, s) says otherwise.

    `st` is the vector of the ST segment, from the end of S into T; `f_mv` the size of fibrillation waves of 6 Hz.
    """
    times = beat_times(duration_s=duration_s) if times is None else np.asarray(times)
    t = np.arange(round(duration_s * fs)) / fs
    vector = np.zeros((3, t.size))
    for wave, centre, width, direction in WAVES:
        if wave == "p" and not p:
            continue
        shape = sum(np.exp(-0.5 * ((t - beat - centre) / width) ** 2) for beat in times)
        vector += direction[:, None] * shape
    segment = sum(np.tanh((t - beat - 0.048) / 0.004) - np.tanh((t - beat - 0.30) / 0.03) for beat in times) / 2
    vector += np.array(st)[:, None] * segment + f_mv * F_VECTOR[:, None] * np.sin(2 * np.pi * 6 * t)
    eight = VIEW @ vector
    eight = eight + np.random.default_rng(seed).normal(0, noise_mv, eight.shape)
    return Recording(gain * twelve(eight), LEADS, fs, id=name)


def twelve(eight):
    i, ii = eight[0], eight[1]
    return np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *eight[2:]])


def pick(recording, leads):
    return Recording(np.stack([recording[lead] for lead in leads]), tuple(leads), recording.fs, id=recording.id)


@pytest.fixture(scope="session")
def make_heart():
    return heart


@pytest.fixture(scope="session")
def pick_leads():
    return pick


@pytest.fixture(scope="session")
def ludb():
    """Read of a Lobachevsky recording and its marks by number; skips where the data are absent."""
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "ludb"
    if not folder.is_dir():
        pytest.skip("the Lobachevsky database is not at ../shared/data/ludb")
    return lambda number: (read_ludb(folder, number), read_marks(folder, number))


@pytest.fixture(scope="session")
def annotation():
    return read_annotation


def read_ludb(folder, number):
    """Format 16, 500 Hz, 12 leads; gain and baseline from the header."""
    lines = (folder / f"{number}.hea").read_text().splitlines()[1:13]
    names, gains, zeros = [], [], []
    for line in lines:
        parts = line.split()
        gain, _, zero = parts[2].split("/")[0].rstrip(")").partition("(")
        names.append({"avr": "aVR", "avl": "aVL", "avf": "aVF"}.get(parts[8].lower(), parts[8].upper()))
        gains.append(float(gain))
        zeros.append(float(zero or parts[4]))
    raw = np.fromfile(folder / f"{number}.dat", "<i2").reshape(-1, 12).T
    signal = (raw - np.array(zeros)[:, None]) / np.array(gains)[:, None]
    return Recording(signal, tuple(names), 500, id=str(number))


def read_marks(folder, number):
    """Annotated times in s of each point in each lead: {lead: {point: times}}."""
    return {
        lead: _points([(at / 500, code) for at, code in read_annotation(folder / f"{number}.{lead.lower()}")])
        for lead in LEADS
    }


def read_annotation(path):
    """Samples and codes of an annotation file (MIT format)."""
    words = np.fromfile(path, "<u2")
    at, events, k = 0, [], 0
    while k < len(words) and words[k]:
        code, step = int(words[k]) >> 10, int(words[k]) & 1023
        k += 1
        if code == 59:  # SKIP: the next two words are a long step
            at += (int(words[k]) << 16) + int(words[k + 1])
            k += 2
        elif code == 63:  # AUX: text of `step` bytes follows
            k += (step + 1) // 2
        elif code < 59:
            at += step
            events.append((at, code))
    return events


def _points(events):
    """Codes: 1 beat, 24 P, 27 T, 39 onset, 40 offset."""
    out = {}
    for k, (time, code) in enumerate(events):
        wave = {24: ("p_onset", "p_peak", "p_offset"), 1: ("qrs_onset", "r_peak", "qrs_offset"),
                27: ("t_onset", "t_peak", "t_offset")}.get(code)  # fmt: skip
        if wave is None:
            continue
        out.setdefault(wave[1], []).append(time)
        if k and events[k - 1][1] == 39:
            out.setdefault(wave[0], []).append(events[k - 1][0])
        if k + 1 < len(events) and events[k + 1][1] == 40:
            out.setdefault(wave[2], []).append(events[k + 1][0])
    return {point: np.array(times) for point, times in out.items()}
