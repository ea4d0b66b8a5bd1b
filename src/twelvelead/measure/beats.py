"""Where the beats are: QRS complexes found on all leads at once."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import find_peaks

DETECTION_FS = 250.0
"""Rate of the 4–24 Hz copy on which beats are looked for, Hz."""
DETECTION_BAND = (4.0, 24.0)
"""Hz; lower than for R waves alone, since premature ventricular complexes are slow."""

_SMOOTH_S = 0.080
_CHUNK_S = 2.0
_REFRACTORY_S = 0.20
_HALF_TEMPLATE_S = 0.060
_UNLIKE = 0.4
_LEAST = 0.10
# Set on 12 records of the MIT-BIH arrhythmia database (doi:10.13026/C2F305), where a tenth more or less of any of them
# changes sensitivity and precision by less than 0.06 percentage points.
_USUAL_INTERVAL = 1.2
_LESSER = 0.75
_PAUSE = 1.5
_LONG_RR_S = 1.2
_T_WAVE_S = 0.36
_P_WAVE_S = 0.28


def find_beats(qrs: NDArray[np.float32], *, fs: float) -> NDArray[np.float64]:
    """Find the QRS complexes of a recording.

    Parameters
    ----------
    qrs : ndarray, shape (n_leads, n_samples)
        The independent leads, 4–24 Hz, in mV.
    fs : float
        Sampling frequency in Hz, about 250.

    Returns
    -------
    ndarray of float, shape (n_beats,)
        Time in s of the middle of each QRS complex; empty where the recording holds no complexes that stand out from
        their surroundings and resemble each other.

    Notes
    -----
    Candidates are peaks of the spatial velocity, each lead weighted by how far its complexes stand out of its
    background. The clear ones give a template, and its matched filter over all leads, which gains from their
    coherence what a sum of energies can't, decides about the unclear ones; where many clear ones are unlike it, so
    does a second template. Complexes of another shape stay if they
    are as fast and as large as the others. A pause is searched once more for a complex that is large but slow, a wide
    premature one. The band, the smoothed energy and the search follow Pan and Tompkins [1]_.

    References
    ----------
    .. [1] Pan J, Tompkins WJ. A real-time QRS detection algorithm. doi:10.1109/TBME.1985.325532
    """
    if qrs.shape[1] < fs:
        return np.empty(0)
    weight = _weigh_leads(qrs, fs=fs)
    envelope = _smooth_size(np.gradient(qrs, axis=1), weight, fs=fs)
    level = _local_level(envelope, fs=fs)
    relative = envelope / np.maximum(level, 1e-12)
    distance = max(1, round(_REFRACTORY_S * fs))
    candidates, _ = find_peaks(np.pad(relative, 1), height=_LEAST, distance=distance)
    candidates = candidates - 1
    clear = _without_t_waves(candidates[relative[candidates] > 0.38], relative, fs=fs)
    if not clear.size or not _stands_out(envelope, clear):
        return np.empty(0)
    amplitude, resemblance = _matched_filter(qrs, clear, fs=fs)
    unlike = clear[resemblance[clear] < _UNLIKE]
    if len(unlike) >= max(3, 0.05 * len(clear)):
        second, like_second = _matched_filter(qrs, unlike, fs=fs)
        better = like_second > resemblance
        amplitude, resemblance = np.where(better, second, amplitude), np.where(better, like_second, resemblance)
    size = _smooth_size(qrs, weight, fs=fs)
    size /= max(float(np.median(size[clear])), 1e-12)
    kept = _decide(candidates, relative, amplitude=amplitude, resemblance=resemblance, size=size, fs=fs)
    return _search_back(kept, candidates, size, fs=fs) / fs


def _weigh_leads(qrs: NDArray[np.float32], *, fs: float) -> NDArray[np.float32]:
    """Weight of each lead's energy: how far its complexes stand out of its background, over their own size."""
    speed = np.abs(np.gradient(qrs, axis=1))
    chunk = round(_CHUNK_S * fs)
    n_chunks = max(1, qrs.shape[1] // chunk)
    size = min(chunk, qrs.shape[1])
    peak = np.median(speed[:, : n_chunks * size].reshape(len(qrs), n_chunks, size).max(axis=2), axis=1)
    background = np.median(speed[:, :: max(1, speed.shape[1] // 4096)], axis=1)
    contrast = np.minimum(peak / np.maximum(background, 1e-9), 30.0) ** 2
    weight: NDArray[np.float32] = np.where(peak > 0, contrast / np.maximum(contrast.sum() * peak**2, 1e-30), 0).astype(
        np.float32
    )
    return weight


def _smooth_size(signal: NDArray[np.float32], weight: NDArray[np.float32], *, fs: float) -> NDArray[np.float32]:
    """Length of the vector of all leads, smoothed over 80 ms."""
    energy = weight @ signal**2
    smoothed: NDArray[np.float32] = np.sqrt(uniform_filter1d(energy, max(1, round(_SMOOTH_S * fs)), mode="nearest"))
    return smoothed


def _local_level(envelope: NDArray[np.float32], *, fs: float) -> NDArray[np.float32]:
    """Height of a usual complex here: median over about 10 s of the maxima of 2 s pieces."""
    chunk = round(_CHUNK_S * fs)
    n_chunks = max(1, len(envelope) // chunk)
    pieces = np.array_split(envelope, n_chunks)
    maxima = np.array([p.max() for p in pieces])
    if n_chunks <= 7:
        return np.full(len(envelope), np.median(maxima), dtype=np.float32)
    around = [np.median(maxima[max(0, k - 2) : k + 3]) for k in range(n_chunks)]
    return np.repeat(np.array(around, dtype=np.float32), [len(p) for p in pieces])


def _without_t_waves(peaks: NDArray[np.intp], relative: NDArray[np.floating], *, fs: float) -> NDArray[np.intp]:
    """Drop a peak less than 360 ms after a complex twice as high: a T wave."""
    kept: list[int] = []
    for peak in peaks.tolist():
        if kept and peak - kept[-1] < _T_WAVE_S * fs and relative[peak] < 0.5 * relative[kept[-1]]:
            continue
        kept.append(peak)
    return np.array(kept, dtype=np.intp)


def _stands_out(envelope: NDArray[np.float32], peaks: NDArray[np.intp]) -> bool:
    """Whether complexes rise out of what lies between them, as noise does not."""
    return bool(np.median(envelope[peaks]) > 3.0 * np.median(envelope))


def _matched_filter(
    qrs: NDArray[np.float32], clear: NDArray[np.intp], *, fs: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Size relative to, and correlation with, the template at every sample; both the best of ±40 ms."""
    half = round(_HALF_TEMPLATE_S * fs)
    template = _template(qrs, clear, half=half, slack=half)
    norm = float((template**2).sum())
    padded = np.pad(qrs, ((0, 0), (half, half)))
    match = np.zeros(qrs.shape[1])
    for lag, shape in enumerate(template.T):  # few lags of many samples: 31 small matrix products
        match += shape @ padded[:, lag : lag + len(match)]
    squares = (qrs.astype(np.float64) ** 2).sum(axis=0)
    power = uniform_filter1d(squares, 2 * half + 1, mode="constant") * (2 * half + 1)
    resemblance = match / np.sqrt(np.maximum(power * norm, 1e-30))
    reach = 2 * round(0.040 * fs) + 1
    return maximum_filter1d(match / max(norm, 1e-30), reach), maximum_filter1d(resemblance, reach)


def _template(qrs: NDArray[np.float32], clear: NDArray[np.intp], *, half: int, slack: int) -> NDArray[np.float32]:
    """Median complex of up to 48 clear beats, each shifted to fit the one that resembles the others most."""
    reach = half + slack
    inside = clear[(clear >= reach) & (clear < qrs.shape[1] - reach)]
    if not inside.size:
        inside = np.clip(clear[:1], reach, max(reach, qrs.shape[1] - reach - 1))
    some = inside[np.unique(np.linspace(0, len(inside) - 1, 48).round().astype(int))]
    wide = qrs[:, some[:, None] + np.arange(-reach, reach + 1)].transpose(1, 0, 2)
    narrow = wide[:, :, slack : slack + 2 * half + 1].reshape(len(some), -1)
    unit = narrow / np.maximum(np.linalg.norm(narrow, axis=1, keepdims=True), 1e-12)
    medoid = unit[np.median(unit @ unit.T, axis=1).argmax()].reshape(len(qrs), -1)
    windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * half + 1, axis=2)
    shift = np.einsum("blsw,lw->bs", windows, medoid, optimize=True).argmax(axis=1)
    ordered = np.sort(windows[np.arange(len(some)), :, shift], axis=0)
    median: NDArray[np.float32] = 0.5 * (ordered[(len(some) - 1) // 2] + ordered[len(some) // 2])
    return median


def _decide(
    candidates: NDArray[np.intp],
    relative: NDArray[np.floating],
    *,
    amplitude: NDArray[np.float64],
    resemblance: NDArray[np.float64],
    size: NDArray[np.float32],
    fs: float,
) -> NDArray[np.intp]:
    """Keep what looks like the template, or is as fast and large as a complex; of two too close, the better one."""
    a, r, e = amplitude[candidates], resemblance[candidates], relative[candidates]
    tallest = maximum_filter1d(relative, 2 * round(0.3 * fs) + 1)[candidates]
    alike = (r > 0.8) & (a > 0.30) & (e > 0.40 * tallest)  # not the P or T wave of a neighbour
    likely = (r > 0.3) & (a > 0.35) & (e > 0.38)
    other = (e > 0.65) & (size[candidates] > 0.8)
    chosen = candidates[alike | likely | other]
    merit = np.maximum(amplitude, 0) + relative
    kept: list[int] = []
    for peak in chosen.tolist():
        if kept and peak - kept[-1] < _T_WAVE_S * fs:
            before = kept[-1]
            if merit[peak] < 0.55 * merit[before]:
                continue
            if merit[before] < 0.5 * merit[peak] and peak - before < 0.30 * fs:
                kept.pop()
        kept.append(peak)
    return _without_squeezed(np.array(kept, dtype=np.intp), merit, resemblance)


def _without_squeezed(
    beats: NDArray[np.intp], merit: NDArray[np.floating], resemblance: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Drop what lies within a usual interval between two beats, smaller than both and unlike them: noise or a T wave.

    A true premature complex is followed by a pause; the rare interpolated one is as large as its neighbours.
    """
    if len(beats) < 5:
        return beats
    before, at, after = beats[:-2], beats[1:-1], beats[2:]
    squeezed = after - before < _USUAL_INTERVAL * np.median(np.diff(beats))
    lesser = merit[at] < _LESSER * np.minimum(merit[before], merit[after])
    return np.delete(beats, 1 + np.flatnonzero(squeezed & lesser & (resemblance[at] < 0.8)))


def _search_back(
    kept: NDArray[np.intp], candidates: NDArray[np.intp], size: NDArray[np.float32], *, fs: float
) -> NDArray[np.intp]:
    """Add to each pause its largest candidate, if that is large as a complex is.

    A wide premature complex changes slowly: its velocity is that of a T wave, its amplitude is not.
    """
    if len(kept) < 3:
        return kept
    rr = np.diff(kept)
    long = np.flatnonzero(rr > min(_PAUSE * float(np.median(rr)), _LONG_RR_S * fs))
    added = []
    for before, after in zip(kept[long].tolist(), kept[long + 1].tolist(), strict=True):
        inside = candidates[(candidates > before + _T_WAVE_S * fs) & (candidates < after - _P_WAVE_S * fs)]
        if inside.size and size[inside].max() >= 0.5:
            added.append(int(inside[size[inside].argmax()]))
    return np.sort(np.concatenate([kept, np.array(added, dtype=np.intp)]))
