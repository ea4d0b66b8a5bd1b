"""How many QRS complexes are found in noise, beside NeuroKit2 where that is installed.

    python bench/noise.py LUDB_FOLDER [--limit N] [--seed S]

Each lead gets its own noise, of three kinds of equal power: muscle (20–150 Hz), motion (1–8 Hz) and wander
(0.05–0.5 Hz). The signal-to-noise ratio is that of ptp²/8, ptp being the lead's peak-to-peak amplitude, to the power of
the noise. Scored by the R annotations of lead II within 150 ms, one to one; false ones count inside the annotated span.
"Eight leads" sees I, II and V1–V6; "lead II" sees that one alone, as NeuroKit2 does. Needs numpy and `wfdb`.
"""

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import wfdb

from twelvelead.measure.beats import find_beats
from twelvelead.signal.filter import exact_rate, filter_bands

INDEPENDENT = ("i", "ii", "v1", "v2", "v3", "v4", "v5", "v6")
NOISE_BANDS_HZ = ((20.0, 150.0), (1.0, 8.0), (0.05, 0.5))
BAND = (0.5, 45.0, 250.0)
TOLERANCE_S = 0.150
RATIOS_DB = (None, 12.0, 6.0, 0.0)


def read(stem):
    """Read eight leads (lead by time), the rate, and the annotated R waves of lead II with their span."""
    record = wfdb.rdrecord(str(stem))
    names = [name.lower() for name in record.sig_name]
    signal = record.p_signal.T[[names.index(lead) for lead in INDEPENDENT]]
    annotation = wfdb.rdann(str(stem), "ii")
    at = annotation.sample / record.fs
    beats = at[[symbol == "N" for symbol in annotation.symbol]]
    return signal, record.fs, beats, (at.min(), at.max())


def band_noise(rng, shape, band_hz, fs):
    """Gaussian noise of unit power between two frequencies."""
    spectrum = np.fft.rfft(rng.standard_normal(shape), axis=1)
    frequency = np.fft.rfftfreq(shape[1], 1 / fs)
    spectrum[:, (frequency < band_hz[0]) | (frequency > band_hz[1])] = 0
    noise = np.fft.irfft(spectrum, n=shape[1], axis=1)
    return noise / noise.std(axis=1, keepdims=True)


def add_noise(signal, fs, ratio_db, rng):
    """Add the three kinds of noise, each lead its own."""
    noise = sum(band_noise(rng, signal.shape, band, fs) for band in NOISE_BANDS_HZ)
    noise /= np.sqrt((noise**2).mean(axis=1, keepdims=True))
    power = np.ptp(signal, axis=1, keepdims=True) ** 2 / 8 / 10 ** (ratio_db / 10)
    return signal + noise * np.sqrt(power)


def count(reference, found, span):
    """Hits, misses and false alarms."""
    gap = np.abs(found[None, :] - reference[:, None])
    free_r, free_f = set(range(len(reference))), set(range(len(found)))
    for k in np.argsort(gap, axis=None, kind="stable"):
        i, j = divmod(int(k), len(found))
        if gap[i, j] > TOLERANCE_S:
            break
        if i in free_r and j in free_f:
            free_r.remove(i)
            free_f.remove(j)
    extra = sum(span[0] <= found[j] <= span[1] for j in free_f)
    return np.array([len(reference) - len(free_r), len(free_r), extra])


def ours(signal, fs):
    """Find beats by all leads given."""
    (smooth,) = filter_bands(signal, fs=fs, bands=[BAND])
    return find_beats(np.ascontiguousarray(smooth.T, dtype=np.float32), fs=exact_rate(fs, BAND[2]))


def neurokit(signal, fs):
    """Find R peaks in lead II as NeuroKit2 does by default; none where it fails."""
    import neurokit2

    lead = neurokit2.ecg_clean(signal[INDEPENDENT.index("ii")], sampling_rate=int(fs))
    try:
        return np.asarray(neurokit2.ecg_peaks(lead, sampling_rate=int(fs))[1]["ECG_R_Peaks"]) / fs
    except (IndexError, ValueError):
        return np.empty(0)


def main():
    """Print F1, sensitivity and precision of each finder at each ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    stems = sorted((p.with_suffix("") for p in args.folder.glob("*.hea")), key=lambda p: int(p.name))[: args.limit]
    ii = INDEPENDENT.index("ii")
    finders = {"eight leads": ours, "lead II": lambda signal, fs: ours(signal[ii : ii + 1], fs)}
    if importlib.util.find_spec("neurokit2"):
        finders["NeuroKit2, lead II"] = neurokit
    records = [(int(stem.name), *read(stem)) for stem in stems]
    print(f"{len(records)} records, {sum(len(r[3]) for r in records)} beats")
    for ratio in RATIOS_DB:
        counts = {name: np.zeros(3, dtype=int) for name in finders}
        for number, signal, fs, beats, span in records:
            noisy = (
                signal if ratio is None else add_noise(signal, fs, ratio, np.random.default_rng([args.seed, number]))
            )
            for name, find in finders.items():
                counts[name] += count(beats, find(noisy, fs), span)
        for name, (hits, misses, extra) in counts.items():
            label = "clean" if ratio is None else f"{ratio:.0f} dB"
            f1, se, ppv = (100 * hits / max(d, 1) for d in (hits + (misses + extra) / 2, hits + misses, hits + extra))
            print(f"{label:6s} {name:20s} F1 {f1:6.2f}  Se {se:6.2f}  PPV {ppv:6.2f}")


if __name__ == "__main__":
    main()
