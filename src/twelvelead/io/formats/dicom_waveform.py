"""Multiplex groups of a DICOM waveform: channels sampled together, and how several groups make one recording."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.dicom_codes import lead_of, mv_per
from twelvelead.io.formats.dicom_elements import code, count, items, number, number_if_any, text, value
from twelvelead.terms import FormatError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DTYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}
_MOST_GROUPS = 64
_MOST_SPREAD = 16  # how many times the samples that are there a recording's table may hold
_NO_ECG_MV = 30.0
_BEAT = re.compile(r"MEDIAN|AVERAGE|REPRESENTATIVE|TEMPLATE|BEAT")


@dataclass(frozen=True)
class Channel:
    """One lead of a group.

    Parameters
    ----------
    lead : str
        Its name; empty if the file gives none.
    scale, baseline : float
        mV per step, and mV at step 0.
    high_pass_hz, low_pass_hz, notch_hz : float or None
        Filters.
    skew_s : float
        How much later than the group's first channel it was sampled, s.
    """

    lead: str
    scale: float
    baseline: float
    high_pass_hz: float | None
    low_pass_hz: float | None
    notch_hz: float | None
    skew_s: float


@dataclass(frozen=True, eq=False)
class Group:
    """Channels that were sampled together.

    Parameters
    ----------
    name : str
        For messages: its place in the file.
    fs : float
        Sampling frequency, Hz.
    offset_s : float
        When it begins, s from the acquisition time.
    original, beat : bool
        Whether it is as recorded; whether it is a median or another representative beat.
    channels : tuple of Channel or None
        None for what is no voltage, or of unknown amplitude.
    steps : ndarray of int, shape (n_samples, n_channels)
        As stored.
    padding : int or None
        Step that says there is no sample.
    """

    name: str
    fs: float
    offset_s: float
    original: bool
    beat: bool
    channels: tuple[Channel | None, ...]
    steps: NDArray[np.integer]
    padding: int | None

    @property
    def kept(self) -> list[tuple[int, Channel]]:
        """The channels that are voltages, by their place."""
        return [(n, channel) for n, channel in enumerate(self.channels) if channel is not None]

    @property
    def odd_padding(self) -> str:
        """Say how the file marks missing samples otherwise than it declares; empty if it does not."""
        marks = {self._mark(channel) for _, channel in self.kept} - {self.padding}
        if self.padding is not None and marks:
            return f"the padding value of {self.name} means 0 mV: such samples are kept"
        if any(mark is not None and (self.steps == mark).any() for mark in marks):
            return f"{self.name} has samples at its lowest step, which is no voltage of a heart: they are missing"
        return ""

    def physical(self, place: int) -> NDArray[np.float64]:
        """Give the samples of a channel in mV; NaN where there is none."""
        channel = self.channels[place]
        assert channel is not None  # noqa: S101 - only kept places are asked for
        steps = self.steps[:, place]
        samples = np.asarray(steps * channel.scale + channel.baseline, dtype=np.float64)
        mark = self._mark(channel)
        if mark is not None:
            samples[steps == mark] = np.nan
        return samples

    def _mark(self, channel: Channel) -> int | None:
        """Give the step that says there is no sample.

        A padding value that means 0 mV is ignored: writers are known that state 0 without padding anything, and then
        every sample at 0 mV would be lost; a lead that was off stays a flat line. Such writers, and those that declare
        none, mark with the lowest step, if that is a voltage that no heart gives.
        """
        if self.padding is not None and self.padding * channel.scale + channel.baseline != 0:
            return self.padding
        lowest = int(np.iinfo(self.steps.dtype).min)
        return lowest if abs(lowest * channel.scale + channel.baseline) > _NO_ECG_MV else None


def read_groups(dataset: "Dataset", *, file: str, little_endian: bool) -> list[Group]:
    """Decode the multiplex groups of a data set.

    Raises
    ------
    FormatError
        If there is none, or one of them is not as it says.
    """
    sequence = items(dataset, "WaveformSequence")
    if not 1 <= len(sequence) <= _MOST_GROUPS:
        msg = (
            f"a waveform must have 1 to {_MOST_GROUPS} multiplex groups; got {len(sequence)} in (5400,0100) of {file}. "
        )
        msg += "Give a DICOM file with a waveform."
        raise FormatError(msg)
    return [
        _read_group(item, name=f"multiplex group {n} of {file}", little_endian=little_endian)
        for n, item in enumerate(sequence, 1)
    ]


def _read_group(item: "Dataset", *, name: str, little_endian: bool) -> Group:
    fs = number(item, "SamplingFrequency")
    if fs is None or fs <= 0:
        msg = f"a sampling frequency must be above 0 Hz; got {fs} in {name}. Write the file again."
        raise FormatError(msg)
    definitions = items(item, "ChannelDefinitionSequence")
    n_channels = count(item, "NumberOfWaveformChannels", where=name)
    if len(definitions) != n_channels:
        msg = f"every channel must be defined; got {len(definitions)} definitions of {n_channels} in {name}. "
        msg += "Write the file again."
        raise FormatError(msg)
    dtype = _dtype(item, name=name, little_endian=little_endian)
    label = text(item, "MultiplexGroupLabel").upper()
    padding = value(item, "WaveformPaddingValue")
    if isinstance(padding, bytes):
        padding = int(np.frombuffer(padding[: dtype.itemsize], dtype)[0]) if len(padding) >= dtype.itemsize else None
    return Group(
        name=name,
        fs=fs,
        offset_s=(number(item, "MultiplexGroupTimeOffset") or 0.0) / 1000,
        original=text(item, "WaveformOriginality").upper() != "DERIVED",
        beat=_BEAT.search(label) is not None,
        channels=tuple(_read_channel(channel, fs=fs, name=name) for channel in definitions),
        steps=_read_steps(item, dtype, n_channels, name=name),
        padding=padding if isinstance(padding, int) else None,
    )


def _dtype(item: "Dataset", *, name: str, little_endian: bool) -> np.dtype[np.integer]:
    bits, coding = number(item, "WaveformBitsAllocated"), text(item, "WaveformSampleInterpretation").upper()
    if coding not in _DTYPES or bits != 8 * int(_DTYPES[coding][1]):
        msg = "samples must be SB or UB of 8 bits, SS or US of 16, SL or UL of 32; "
        msg += f"got {coding[:16]!r} of {bits} bits in {name}. Write them so."
        raise FormatError(msg)
    if not little_endian and bits != 16:
        msg = (
            f"samples in big endian must have 16 bits; got {bits:.0f} in {name}. Convert to explicit VR little endian."
        )
        raise FormatError(msg)
    return np.dtype(("<" if little_endian else ">") + _DTYPES[coding])


def _read_steps(item: "Dataset", dtype: np.dtype[np.integer], n_channels: int, *, name: str) -> NDArray[np.integer]:
    n_samples = count(item, "NumberOfWaveformSamples", where=name)
    data = value(item, "WaveformData")
    wanted, present = n_samples * n_channels * dtype.itemsize, len(data) if isinstance(data, bytes) else 0
    if present < wanted:
        msg = f"(5400,1010) Waveform Data must have {wanted} bytes for {n_samples} samples of {n_channels} channels; "
        msg += f"got {present} in {name}. The file is cut short: copy it again."
        raise FormatError(msg)
    return np.frombuffer(data, dtype, n_samples * n_channels).reshape(n_samples, n_channels)


def _read_channel(item: "Dataset", *, fs: float, name: str) -> Channel | None:
    sensitivity = number(item, "ChannelSensitivity")
    unit, _, meaning = code(item, "ChannelSensitivityUnitsSequence")
    factor = mv_per(unit, meaning)
    if sensitivity is None or factor is None:
        return None
    correction = number(item, "ChannelSensitivityCorrectionFactor")
    scale = sensitivity * (1.0 if correction is None else correction) * factor
    baseline = (number(item, "ChannelBaseline") or 0.0) * factor
    if not 0 < abs(scale) < 1e6 or abs(baseline) > 1e9:
        msg = (
            f"a channel's sensitivity must be a voltage other than 0; got {sensitivity} {unit[:8]} in {name}. Mend it."
        )
        raise FormatError(msg)
    source, _, said = code(item, "ChannelSourceSequence")
    skew_s = number_if_any(item, "ChannelTimeSkew")
    return Channel(
        lead=lead_of(source, said, text(item, "ChannelLabel")),
        scale=scale,
        baseline=baseline,
        high_pass_hz=number_if_any(item, "FilterLowFrequency") or None,
        low_pass_hz=number_if_any(item, "FilterHighFrequency") or None,
        notch_hz=number_if_any(item, "NotchFilterFrequency") or None,
        skew_s=(number_if_any(item, "ChannelSampleSkew") or 0.0) / fs if skew_s is None else skew_s,
    )


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Groups put together: their leads on one time axis.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        mV; NaN where a lead was not recorded.
    leads : tuple of str
        Their names.
    channels : tuple of Channel
        Of each lead, that of the longest group.
    fs, offset_s : float
        Sampling frequency, Hz, and when the first sample was recorded, s from the acquisition time.
    """

    signal: NDArray[np.float32]
    leads: tuple[str, ...]
    channels: tuple[Channel, ...]
    fs: float
    offset_s: float


def assemble(groups: list[Group], notes: list[str]) -> Mosaic:
    """Put groups on one time axis.

    Parameters
    ----------
    groups : list of Group
        Each with at least one voltage. The longest one sets the sampling frequency; of two that hold the same lead at
        the same time, the longer one counts.
    notes : list of str
        What is left out is told here.

    Notes
    -----
    Carts that record three leads at a time store four groups, one after the other by their time offsets, and perhaps a
    rhythm strip over the whole (DICOM PS3.3, figure A.34.3-1).
    """
    ranked = sorted(groups, key=lambda group: -len(group.steps) / group.fs)
    fs = ranked[0].fs
    used = [group for group in ranked if group.fs == fs and _fits(group, ranked[0])]
    why = "another sampling frequency than the longest, or far from it in time"
    notes += [f"{group.name} is left out: {why}" for group in ranked if group not in used]
    begin = min(group.offset_s for group in used)
    first = [round((group.offset_s - begin) * fs) for group in used]
    n_samples = max(at + len(group.steps) for at, group in zip(first, used, strict=True))
    rows: dict[str, tuple[Channel, NDArray[np.float32], NDArray[np.bool_]]] = {}
    for at, group in zip(first, used, strict=True):
        named: dict[str, int] = {}
        for place, channel in group.kept:
            base = channel.lead or f"channel {place + 1}"
            named[base] = named.get(base, 0) + 1
            lead = base if named[base] == 1 else f"{base} {named[base]}"
            if lead not in rows:
                _refuse_spread(n_samples, len(rows) + 1, used)
                row = np.full(n_samples, np.nan, dtype=np.float32)
                rows[lead] = (channel, row, np.zeros(n_samples, dtype=np.bool_))
            _, row, taken = rows[lead]
            here = slice(at, at + len(group.steps))
            if taken[here].any():
                notes.append(f"lead {lead} of {group.name} is left out where a longer group holds it, too")
            with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, which a recording refuses
                row[here] = np.where(taken[here], row[here], group.physical(place))
            taken[here] = True
    channels = tuple(channel for channel, _, _ in rows.values())
    return Mosaic(np.stack([row for _, row, _ in rows.values()]), tuple(rows), channels, fs, begin)


def _fits(group: Group, longest: Group) -> bool:
    """Whether a group lies near enough to the longest one to share a time axis with it."""
    apart = abs(group.offset_s - longest.offset_s)
    return apart * longest.fs <= _MOST_SPREAD * len(longest.steps)


def _refuse_spread(n_samples: int, n_leads: int, groups: list[Group]) -> None:
    present = sum(group.steps.size for group in groups)
    if n_samples * n_leads > _MOST_SPREAD * present:
        msg = f"groups must lie together in time; got {present} samples spread over {n_samples} per lead in "
        msg += f"{groups[0].name}. Write each as a file of its own."
        raise FormatError(msg)
