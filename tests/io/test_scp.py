"""SCP-ECG: a writer that shares nothing with the reader, and the real file."""

import struct
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.formats.scp import open_scp
from twelvelead.io.formats.scp_huffman import default_codes
from twelvelead.signal import einthoven_residual_mv
from twelvelead.terms import FormatError, InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "formats"
EIGHT = (1, 2, 3, 4, 5, 6, 7, 8)  # lead numbers of I, II, V1 to V6

# --- a writer ---------------------------------------------------------------------------------------------------------


def crc(content):
    """CRC-CCITT bit by bit."""
    register = 0xFFFF
    for byte in content:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return register


def default_code(value):
    """Spell a value by the default table."""
    size = abs(value)
    if size <= 8:
        return "0" if not size else "1" * size + "0" + ("1" if value < 0 else "0")
    return "1" * 9 + "0" + f"{value & 0xFF:08b}" if -128 <= value < 128 else "1" * 10 + f"{value & 0xFFFF:016b}"


# Two tables: small values in the first, plain 16 bits in the second, each with a way into the other.
OWN = (
    {"0": (0, 0, 1), "10": (1, 0, 1), "110": (-1, 0, 1), "1110": (2, 0, 0), "1111": (0, 6, 1)},
    {"0": (0, 16, 1), "1": (1, 0, 0)},
)


def own_codes(values):
    """Spell values by the tables OWN, changing between them at large values."""
    out, table = "", 0
    for value in values:
        wanted = 0 if -32 <= value < 32 else 1
        if wanted != table:
            out += "1110" if wanted else "1"
            table = wanted
        short = {0: "0", 1: "10", -1: "110"}
        out += "0" + f"{value & 0xFFFF:016b}" if table else short.get(value, "1111" + f"{value & 0x3F:06b}")
    return out


def to_bytes(bits):
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def differences(samples, order):
    x = [int(s) for s in samples]
    if order == 1:
        x = x[:1] + [b - a for a, b in pairwise(x)]
    if order == 2:
        x = x[:2] + [c - 2 * b + a for a, b, c in zip(x, x[1:], x[2:], strict=False)]
    return [(d + 0x8000) % 0x10000 - 0x8000 for d in x]  # 16 bits, as written


def encode(samples, order, tables):
    values = differences(samples, order)
    if tables is None:
        return struct.pack(f"<{len(values)}h", *values)
    return to_bytes("".join(map(default_code, values)) if tables == "default" else own_codes(values))


def section(number, body, *, protocol=20):
    body += b"\0" * (len(body) % 2)
    head = struct.pack("<HIBB6x", number, 16 + len(body), protocol, protocol)
    return struct.pack("<H", crc(head + body)) + head + body


def record(bodies, *, protocol=20):
    """Put sections together: bodies by number."""
    offset, pointers, parts = 6 + 16 + 120, struct.pack("<HII", 0, 136, 7), b""
    for number in range(1, 12):
        part = section(number, bodies[number], protocol=protocol) if number in bodies else b""
        pointers += struct.pack("<HII", number, len(part), offset + len(parts) + 1 if part else 0)
        parts += part
    head = struct.pack("<HIBB6s", 0, 136, protocol, protocol, b"SCPECG") + pointers
    content = struct.pack("<H", crc(head)) + head + parts
    content = struct.pack("<I", len(content) + 6) + content
    return struct.pack("<H", crc(content)) + content


def tables_body(tables):
    if tables == "default":
        return struct.pack("<H", 19999)
    out = struct.pack("<H", len(tables))
    for table in tables:
        out += struct.pack("<H", len(table))
        for prefix, (value, extra, mode) in table.items():
            out += struct.pack("<BBBhI", len(prefix), len(prefix) + extra, mode, value, int(prefix[::-1], 2))
    return out


def leads_body(numbers, extents, *, flags=4):
    return struct.pack("<BB", len(numbers), flags) + b"".join(
        struct.pack("<IIB", *extent, number) for number, extent in zip(numbers, extents, strict=True)
    )


def signal_body(rows, *, nv=2500, interval=2000, order=0, tables=None, bimodal=0):
    coded = [encode(row, order, tables) for row in rows]
    lengths = struct.pack(f"<{len(rows)}H", *map(len, coded))
    return struct.pack("<HHBB", nv, interval, order, bimodal) + lengths + b"".join(coded)


def field(tag, content):
    return struct.pack("<BH", tag, len(content)) + content


def device(language=0, texts=(b"", b"7", b"", b"Sw 2", b"Maker")):
    return struct.pack("<HHHBB6sBBBBB16xB", 1, 2, 3, 0, 255, b"ECG12", 20, 0xA0, language, 8, 1, 0) + b"".join(
        text + b"\0" for text in texts
    )


HEADER = b"".join([
    field(0, b"Doe\0"), field(1, b"Jane\0"), field(2, b"4711\0"), field(5, struct.pack("<HBB", 1950, 6, 10)),
    field(8, b"\x02"), field(14, device()), field(20, b"Dr. Knows\0"), field(25, struct.pack("<HBB", 2020, 6, 9)),
    field(26, bytes([12, 30, 15])), field(27, struct.pack("<H", 5)), field(28, struct.pack("<H", 150)),
    field(29, b"\x02"), field(30, b"called Jane at home\0"), bytes([255, 0, 0]),
])  # fmt: skip


def bodies(rows, *, numbers=EIGHT, order=1, tables="default", **more):
    """Make the sections of a plain record."""
    extents = [(1, len(row)) for row in rows]
    made = {1: HEADER, 3: leads_body(numbers[: len(rows)], extents)}
    if tables is not None:
        made[2] = tables_body(tables)
    return made | {6: signal_body(rows, order=order, tables=tables, **more)}


def noise(n_leads=8, n_samples=600, seed=0):
    """Make steps that wander, now and then by a lot."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([1, 3, 40, 900], (n_leads, n_samples), p=[0.6, 0.3, 0.08, 0.02]) * rng.normal(
        0, 1.5, (n_leads, n_samples)
    )
    return np.clip(np.cumsum(steps, axis=1), -30000, 30000).astype(int)


def write(path, made, **more):
    path.write_bytes(record(made, **more))
    return path


def reseal(content):
    """Give a changed record checksums that fit."""
    content = bytearray(content)
    for k in range(12):
        _, length, index = struct.unpack_from("<HII", content, 22 + 10 * k)
        if length >= 16 and index >= 1 and index - 1 + length <= len(content):
            struct.pack_into("<H", content, index - 1, crc_fast(content[index + 1 : index - 1 + length]))
    struct.pack_into("<H", content, 0, crc_fast(content[2:]))
    return bytes(content)


_ROWS = [crc(bytes([b])) ^ crc(b"\0") for b in range(256)]  # of a table: the CRC is linear


def crc_fast(content):
    register = 0xFFFF
    for byte in content:
        register = (register << 8 & 0xFFFF) ^ _ROWS[register >> 8 ^ byte]
    return register


def test_the_checksum_of_this_file_is_the_catalogued_one():
    assert crc(b"123456789") == crc_fast(b"123456789") == 0x29B1


# --- samples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("tables", [None, "default", OWN], ids=["plain", "default", "own"])
def test_every_coding_gives_back_every_step(order, tables, tmp_path):
    rows = noise()
    source = open_recording(write(tmp_path / "x.scp", bodies(rows, order=order, tables=tables)))
    recording = source.read()
    assert recording.leads[:8] == ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    np.testing.assert_array_equal(np.round(recording.signal[:8] / 0.0025).astype(int), rows)
    assert (recording.fs, source.notes, source.median) == (500, (), None)
    assert recording.start == datetime(2020, 6, 9, 12, 30, 15)


def test_the_default_table_is_that_of_the_standard():
    # Bits as they are sent, and what they stand for (EN 1064, annex C).
    rows = {"0": 0, "100": 1, "101": -1, "1100": 2, "1101": -2, "11100": 3, "11101": -3, "111100": 4, "111101": -4,
            "1111100": 5, "1111101": -5, "11111100": 6, "11111101": -6, "111111100": 7, "111111101": -7,
            "1111111100": 8, "1111111101": -8, "1111111110" + "10000000": -128, "1111111110" + "01111111": 127,
            "1111111111" + "1000000000000000": -32768, "1111111111" + "0111111111111111": 32767}  # fmt: skip
    for bits, value in rows.items():
        samples, used = default_codes().decode(to_bytes(bits), 1)
        assert (samples.tolist(), used) == ([value], len(bits))
    samples, used = default_codes().decode(to_bytes("".join(rows)), len(rows))
    assert (samples.tolist(), used) == (list(rows.values()), sum(map(len, rows)))


@pytest.mark.parametrize("order", [1, 2])
def test_a_difference_beyond_16_bits_wraps_and_comes_back(order, tmp_path):
    rows = np.array([[32767, -32768, 32767, 0, -32768, 5]])
    recording = read(write(tmp_path / "x.scp", bodies(rows, order=order)))
    np.testing.assert_array_equal(np.round(recording.signal / 0.0025), rows)


def test_four_limb_leads_follow_from_eight_and_none_from_fewer(tmp_path):
    rows = noise()
    source = open_recording(write(tmp_path / "x.scp", bodies(rows)))
    recording = source.read()
    assert recording.leads[8:] == ("III", "aVR", "aVL", "aVF")
    assert source.step_mv == (0.0025,) * 12
    np.testing.assert_allclose(recording["aVL"], 0.0025 * (rows[0] - rows[1] / 2), rtol=0, atol=1e-5)  # float32
    assert read(write(tmp_path / "y.scp", bodies(rows[:7]))).leads == ("I", "II", "V1", "V2", "V3", "V4", "V5")


def test_leads_are_named_and_repetitions_told_apart(tmp_path):
    rows = noise(n_leads=7, n_samples=20)
    made = bodies(rows, numbers=(0, 1, 1, 65, 200, 64, 10))
    assert read(write(tmp_path / "x.scp", made)).leads == ("lead 1", "I", "I 2", "-aVR", "lead 200", "aVF", "V2R")


def test_leads_one_after_the_other_are_missing_elsewhere(tmp_path):
    rows = noise(n_leads=2, n_samples=100)
    made = bodies(rows) | {3: leads_body((1, 2), [(1, 100), (51, 150)])}
    recording = read(write(tmp_path / "x.scp", made))
    assert recording.n_samples == 150
    assert np.isnan(recording["I"][100:]).all()
    assert np.isnan(recording["II"][:50]).all()
    np.testing.assert_array_equal(np.round(recording["II"][50:] / 0.0025), rows[1])


# --- decimation and the reference beat --------------------------------------------------------------------------------

PROTECTED = ((101, 140), (301, 342))
ZONES = ((0, 81, 120, 180), (1, 280, 320, 380))  # the second beat is of another type


def decimate(row, areas, factor=4):
    """Average what lies outside the areas; return what is stored."""
    out, at = [], 1
    for first, last in (*areas, (len(row) + 1, len(row))):
        stretch = [int(s) for s in row[at - 1 : first - 1]]
        whole = len(stretch) // factor * factor
        out += [round(sum(stretch[i : i + factor]) / factor) for i in range(0, whole, factor)] + stretch[whole:]
        out += [int(s) for s in row[first - 1 : last]]
        at = last + 1
    return out


def beats_body(length_ms, fiducial, zones, areas):
    body = struct.pack("<HHH", length_ms, fiducial, len(zones)) + b"".join(struct.pack("<HIII", *z) for z in zones)
    return body + b"".join(struct.pack("<II", *area) for area in areas)


def smooth(n_leads=8, n_samples=500):
    time = np.arange(n_samples)
    slow = [300 * np.sin(time / (20 + 3 * k)) for k in range(n_leads)]
    spikes = sum(900 * np.exp(-(((time - at) / 4) ** 2)) for at in (119, 319))
    return np.round(np.array(slow) + spikes).astype(int)


def decimated(rows, *, beat=None, zones=ZONES, areas=PROTECTED, flags=4, factor=4, bimodal=1, **more):
    stored = [decimate(row, areas, factor) for row in rows]
    made = bodies(rows) | {6: signal_body(stored, interval=2000 * factor, order=2, tables="default", bimodal=bimodal)}
    beat = np.zeros((len(rows), 100), int) if beat is None else beat
    made[3] = leads_body(EIGHT[: len(rows)], [(1, rows.shape[1])] * len(rows), flags=flags)
    made[4] = beats_body(2 * beat.shape[1], 40, zones, areas)
    made[5] = signal_body(beat, order=1, tables="default", **more)
    return made


def outside(areas, n):
    mask = np.ones(n, bool)
    for first, last in areas:
        mask[first - 1 : last] = False
    return mask


def test_a_decimated_rhythm_is_exact_where_it_is_protected_and_near_elsewhere(tmp_path):
    rows = smooth()
    recording = read(write(tmp_path / "x.scp", decimated(rows)))
    assert (recording.fs, recording.n_samples) == (500, 500)
    found = recording.signal[:8] / 0.0025
    inside = ~outside(PROTECTED, 500)
    np.testing.assert_array_equal(np.round(found[:, inside]), rows[:, inside])
    # Four samples of a sine of 300 steps and period 126 span at most 60 steps; a line through means is off by half
    # a sample (8), by the sine's curve (1) and by half a group at the ends of stretches (30).
    error = np.abs(found - rows)[:, outside(PROTECTED, 500)]
    assert 0 < error.max() < 40
    assert np.median(error) < 8


def test_lines_between_means_are_those_of_the_standard(tmp_path):
    # Ten samples: two groups of four with means of 10 and 20, and two samples left; then a protected one.
    made = decimated(np.zeros((1, 11), int), zones=((1, 1, 1, 1),), areas=((11, 11),))
    made[6] = signal_body([[10, 20, 7, 8, 99]], interval=8000, bimodal=1, tables="default")
    steps = read(write(tmp_path / "x.scp", made)).signal[0] / 0.0025
    np.testing.assert_allclose(steps, [10, 10, 10, 12.5, 15, 17.5, 20, 20, 7, 8, 99], rtol=0, atol=1e-4)


def subtract(rows, beat, zones, fiducial=40):
    rows = rows.copy()
    for kind, first, middle, last in zones:
        if kind == 0:
            at = fiducial - (middle - first) - 1
            rows[:, first - 1 : last] -= beat[:, at : at + last - first + 1]
    return rows


@pytest.mark.parametrize("factor", [1, 4])
def test_the_reference_beat_is_added_where_it_was_subtracted(factor, tmp_path):
    rows = smooth()
    beat = np.round(700 * np.exp(-(((np.arange(120) - 39) / 5.0) ** 2)) * np.arange(1, 9)[:, None] / 8).astype(int)
    rest = subtract(rows, beat, ZONES)
    assert np.abs(rest - rows).max() > 500
    source = open_recording(write(tmp_path / "x.scp", decimated(rest, beat=beat, flags=5, factor=factor)))
    found = source.read().signal[:8] / 0.0025
    inside = ~outside(PROTECTED, 500) | (factor == 1)
    np.testing.assert_array_equal(np.round(found[:, inside]), rows[:, inside])
    assert np.abs(found - rows).max() < (0.01 if factor == 1 else 60)
    assert source.median is not None
    assert source.median.leads == source.read().leads
    np.testing.assert_array_equal(np.round(source.median.signal[:8] / 0.0025), beat)


def test_the_reference_beat_may_have_other_steps(tmp_path):
    rows, beat = smooth(), np.full((8, 120), 10)
    rest = subtract(rows, 2 * beat, ZONES)  # steps of 5 µV in the beat, of 2.5 µV in the rhythm
    source = open_recording(write(tmp_path / "x.scp", decimated(rest, beat=beat, flags=5, factor=1, nv=5000)))
    np.testing.assert_array_equal(np.round(source.read().signal[:8] / 0.0025), rows)


def test_protocol_1_protects_its_zones_of_subtraction(tmp_path):
    rows = smooth()
    zones = ((0, 101, 120, 140), (0, 301, 320, 342))
    made = decimated(rows, zones=zones) | {4: beats_body(200, 40, zones, ())}
    source = open_recording(write(tmp_path / "x.scp", made, protocol=11))
    inside = ~outside(PROTECTED, 500)
    np.testing.assert_array_equal(np.round(source.read().signal[:8, inside] / 0.0025), rows[:, inside])
    assert source.provenance.version == "1.1"


# --- what it says besides ---------------------------------------------------------------------------------------------


def test_the_header_says_whence_and_of_whom(tmp_path):
    path = write(tmp_path / "x.scp", bodies(noise()))
    source = open_recording(path, identify=True)
    p = source.provenance
    assert (p.format, p.version, p.device, p.software) == ("scp", "2.0", "Maker ECG12", "Sw 2")
    assert (p.high_pass_hz, p.low_pass_hz, p.notch_hz) == (0.05, 150, 50)
    who = source.patient
    assert (who.sex, who.age_years, who.id, who.name, who.born) == (
        "female", 69, "4711", "Doe, Jane", date(1950, 6, 10))  # fmt: skip
    hidden = open_recording(path)
    assert (hidden.patient.id, hidden.patient.name, hidden.patient.born) == ("", "", None)
    for word in ("Doe", "Jane", "4711", "Knows"):
        assert word not in repr((hidden.provenance, hidden.machine, hidden.notes, hidden.patient))


@pytest.mark.parametrize(
    ("number", "unit", "years"), [(60, 1, 60), (6, 2, 0.5), (52, 3, 0.9966), (700, 4, 1.9165), (40, 0, None)]
)
def test_an_age_has_its_unit(number, unit, years, tmp_path):
    made = bodies(noise()) | {1: field(4, struct.pack("<HB", number, unit))}
    age = open_recording(write(tmp_path / "x.scp", made)).patient.age_years
    assert age == (None if years is None else pytest.approx(years, abs=1e-4))


def test_text_is_in_the_language_of_the_device(tmp_path):
    made = bodies(noise()) | {1: field(14, device(0x13)) + field(0, "Иванов".encode("iso8859-5") + b"\0")}
    assert open_recording(write(tmp_path / "x.scp", made), identify=True).patient.name == "Иванов"


def test_fields_that_are_nothing_are_left_out(tmp_path):
    header = field(25, struct.pack("<HBB", 2020, 13, 1)) + field(5, b"\0") + field(27, b"\0\0") + field(29, b"\x08")
    source = open_recording(write(tmp_path / "x.scp", bodies(noise()) | {1: header + b"\x0e\xff\xff"}), identify=True)
    p = source.provenance
    assert (p.recorded_at, p.high_pass_hz, p.notch_hz, p.device, source.patient.born) == (None, None, None, "", None)
    assert source.notes == ("section 1 ends within the field of tag 14",)
    no_header = {k: v for k, v in bodies(noise()).items() if k != 1}
    assert "no section 1" in open_recording(write(tmp_path / "y.scp", no_header)).notes[0]


def measured(block, *, rr=800, rate=75, qtc=420, formula=1, atrial=29999, spikes=0):
    body = struct.pack("<BBHH", 1, spikes, rr, 29999) + struct.pack("<5H3h", *block) + b"\0" * 10 * spikes
    return body + struct.pack("<HBBB", 3, 0, 0, 1) + struct.pack("<HHHBH", rate, atrial, qtc, formula, 0)


@pytest.mark.parametrize("spikes", [0, 2])
def test_the_device_measured(spikes, tmp_path):
    made = bodies(noise()) | {7: measured((100, 200, 260, 350, 640, 40, -30, 999), spikes=spikes)}
    found = open_recording(write(tmp_path / "x.scp", made)).machine.measurements
    assert found == {
        "p_duration_ms": 100, "pr_interval_ms": 160, "qrs_duration_ms": 90, "qt_interval_ms": 380, "p_axis_deg": 40,
        "qrs_axis_deg": -30, "rr_mean_ms": 800, "heart_rate_bpm": 75, "qtc_bazett_ms": 420}  # fmt: skip


def test_what_was_not_measured_is_left_out(tmp_path):
    body = measured((29999, 29999, 260, 350, 19999, 29999, 29999, 29999), rate=0, qtc=430, formula=0)
    found = open_recording(write(tmp_path / "x.scp", bodies(noise()) | {7: body})).machine.measurements
    assert found == {"qrs_duration_ms": 90, "rr_mean_ms": 800, "heart_rate_bpm": 75, "qtc_ms": 430}
    short = open_recording(write(tmp_path / "y.scp", bodies(noise()) | {7: body[:6]})).machine.measurements
    assert short == {"rr_mean_ms": 800, "heart_rate_bpm": 75}


def statements(texts, kinds=None):
    body = struct.pack("<BHBBBBBB", 1, 2020, 6, 9, 12, 30, 15, len(texts))
    for n, text in enumerate(texts):
        said = (bytes([kinds[n]]) if kinds else b"") + text
        body += struct.pack("<BH", n + 1, len(said)) + said
    return body


def test_the_device_stated_without_naming_anybody(tmp_path):
    made = bodies(noise()) | {
        8: statements([b"SINUS RHYTHM\0", b"seen with Mrs. DOE\0", b"\0"]),
        11: statements([b"NSR\0POS\0", b"IMI\0", b"Sinus rhythm\0"], kinds=[1, 3, 2]),
    }
    source = open_recording(write(tmp_path / "x.scp", made))
    assert source.machine.statements == ("SINUS RHYTHM", "seen with Mrs. …", "NSR POS", "Sinus rhythm")
    cut = statements([b"SINUS RHYTHM\0", b"x"])[:-3]
    source = open_recording(write(tmp_path / "y.scp", made | {8: cut}))
    assert source.notes == ("section 8 ends within a statement",)


# --- what is amiss ----------------------------------------------------------------------------------------------------


def test_a_flipped_bit_of_the_samples_is_always_refused(tmp_path):
    content = record(bodies(noise(n_samples=50)))
    path = tmp_path / "x.scp"
    for number in (0, 2, 3, 6):
        _, length, index = struct.unpack_from("<HII", content, 22 + 10 * number)
        for at in range(index - 1, index - 1 + length, 7):
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
            with pytest.raises(FormatError, match=f"section {number} of x.scp at byte {index - 1} must"):
                open_scp(path, UNDECLARED)


def test_a_flipped_bit_elsewhere_is_told(tmp_path):
    made = bodies(noise()) | {7: measured((100, 200, 260, 350, 640, 40, -30, 999))}
    content = bytearray(record(made))
    (_, _, index) = struct.unpack_from("<HII", content, 22 + 70)
    content[index + 30] ^= 1
    (tmp_path / "x.scp").write_bytes(content)
    source = open_recording(tmp_path / "x.scp")
    assert source.machine.measurements == {}
    assert "the record's checksum" in source.notes[0]
    assert "section 7 is left out: it must have the checksum" in source.notes[1]


def test_a_record_cut_short_is_refused_wherever_it_ends(tmp_path):
    content = record(bodies(noise(n_samples=50)) | {7: measured((100, 200, 260, 350, 640, 40, -30, 999))})
    path = tmp_path / "x.scp"
    for length in range(0, len(content), 13):
        path.write_bytes(content[:length])
        with pytest.raises(FormatError, match="must have"):
            open_scp(path, UNDECLARED)
    path.write_bytes(content + b"123")
    assert open_recording(path).notes == ("3 bytes follow the record",)


def broken(number, change):
    made = decimated(smooth(), flags=5)
    body = bytearray(made[number])
    change(body)
    return made | {number: bytes(body)}


def put(layout, at, *values):
    return lambda body: struct.pack_into(f"<{layout}", body, at, *values)


LEAST = {"0": (0, 0, 1), "1": (1, 0, 1)}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({k: v for k, v in bodies(noise()).items() if k != 3}, r"must have section 3 \(leads\); got sections 1, 2, 6"),
        ({k: v for k, v in bodies(noise()).items() if k != 6}, r"must have section 6 \(rhythm\)"),
        (broken(3, put("II", 2, 0, 5)), "must give a lead's first sample, from 1 on, and its last one; got 0 and 5"),
        (broken(3, put("II", 2, 9, 5)), "got 9 and 5"),
        (broken(3, put("II", 2, 1, 2**32 - 1)), "must hold 4294967295 samples of lead I; got"),
        (broken(3, put("II", 2, 2**31, 2**31 + 499)), "must have at most 8000000 samples; got 8 leads over"),
        (broken(3, put("B", 0, 0)), "must name a lead; got none"),
        (broken(3, put("B", 0, 200)), "section 3 of x.scp at byte .* must hold 9 bytes"),
        (broken(4, put("H", 4, 60000)), "section 4 .* must hold 840000 bytes"),
        (broken(4, put("H", 0, 0)), "must come with sections 4 and 5"),
        (broken(5, put("H", 2, 3000)), "interval that is 1 to 64 times the reference beat's; got 8000 and 3000"),
        (broken(6, put("H", 0, 0)), "above 0 and differences of order 0, 1 or 2; got 0, 8000 and 2"),
        (broken(6, put("B", 4, 3)), "got 2500, 8000 and 3"),
        (broken(6, put("H", 6, 65535)), "section 6 .* must hold 65535 bytes"),
        (bodies(noise()) | {2: tables_body([{"0": (0, 0, 1)}])}, "lead I in section 6 .* must have 600 samples; got"),
        (bodies(noise()) | {2: tables_body([LEAST, {"0": (9, 0, 0)}])}, "switch to one of 2 tables"),
        (bodies(noise()) | {2: tables_body([LEAST | {"01": (1, 0, 1)}])}, "code 3 in section 2"),
        (bodies(noise()) | {2: struct.pack("<HHBBBhI", 1, 1, 0, 0, 1, 0, 0)}, "prefix of 1 to 32 bits"),
        (bodies(noise()) | {2: struct.pack("<HH", 1, 65535)}, "section 2 .* must hold 589815 bytes"),
        (bodies(noise()) | {2: struct.pack("<HH", 1, 5000) + b"\1" * 45000}, "must not go beyond 4096 Huffman codes"),
        (bodies(noise()) | {2: struct.pack("<HHBBBhI", 1, 1, 1, 1, 0, 1, 0)}, "must have 600 samples; got 0"),
    ],
)
def test_what_can_not_be_is_refused_with_the_place(made, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(write(tmp_path / "x.scp", made))


def test_zones_on_one_another_are_refused(tmp_path):
    made = decimated(smooth(), flags=5, factor=1, zones=((0, 1, 40, 500),) * 3, areas=((1, 1),) * 3)
    with pytest.raises(FormatError, match="must lie side by side; got 1500 samples of them for 500"):
        read(write(tmp_path / "x.scp", made))


def test_a_reference_beat_that_nothing_depends_on_may_be_broken(tmp_path):
    rows = smooth()
    whole = bodies(rows) | {4: beats_body(200, 40, (), ()), 5: signal_body(rows[:, :100], order=1, tables="default")}
    source = open_recording(write(tmp_path / "x.scp", whole))
    assert source.median is not None
    assert source.notes == ()
    # Zones that are counted but not there, since nothing was subtracted, do no harm.
    assert open_recording(write(tmp_path / "x.scp", whole | {4: struct.pack("<HHH", 200, 40, 9)})).median is not None
    source = open_recording(write(tmp_path / "x.scp", whole | {4: beats_body(60000, 40, (), ())}))
    assert source.median is None
    assert "the reference beat is left out: lead 1 in section 5 of x.scp" in source.notes[0]
    np.testing.assert_array_equal(np.round(source.read().signal[:8] / 0.0025), rows)


def test_a_newer_protocol_is_told(tmp_path):
    source = open_recording(write(tmp_path / "x.scp", bodies(noise()), protocol=30))
    assert source.notes == ("protocol 3.0 is read as 2: compare the samples with another reader's",)


def test_bytes_after_the_samples_are_told(tmp_path):
    rows = noise(n_samples=50)
    made = bodies(rows, tables=None) | {3: leads_body(EIGHT, [(1, 40)] + [(1, 50)] * 7)}
    assert open_recording(write(tmp_path / "x.scp", made)).notes == ("20 bytes follow the samples of lead I",)


def test_a_record_is_known_without_its_name_and_one_with_a_broken_mark_too(tmp_path):
    content = record(bodies(noise()))
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "old.scp").write_bytes(reseal(content[:16] + b"\0" * 6 + content[22:]))
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["old", "plain"]
    assert read(tmp_path / "old.scp").n_samples == 600


def test_mutated_records_raise_nothing_but_input_errors(tmp_path):
    rng = np.random.default_rng(1)
    goods = [record(bodies(noise(n_samples=60), tables=OWN) | {7: measured((100, 200, 260, 350, 640, 40, -30, 999))})]
    goods.append(record(decimated(smooth(2, 400), flags=5) | {8: statements([b"SINUS RHYTHM\0"])}))
    path, outcomes = tmp_path / "x.scp", {"read": 0, "refused": 0}
    for trial in range(300):
        mutated = bytearray(goods[trial % 2])
        for at in rng.integers(142, len(mutated), rng.integers(1, 5)):
            mutated[at] = rng.choice([0, 1, 0x7F, 0xFF, rng.integers(256)])
        path.write_bytes(reseal(mutated) if trial % 4 else mutated[: rng.integers(len(mutated))])
        try:
            open_scp(path, UNDECLARED).read()
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 30


# --- a real file ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/formats is absent: no real record to read")
def test_a_real_record_reads():
    source = open_recording(DATA / "scp" / "example.scp", identify=True)
    recording = source.read()
    assert (recording.n_samples, recording.fs, len(recording.leads)) == (5000, 500, 12)
    assert recording.start == source.provenance.recorded_at == datetime(2002, 11, 22, 9, 10)
    assert (source.notes, source.provenance.version) == ((), "2.0")
    assert source.machine.measurements == {
        "p_duration_ms": 102, "pr_interval_ms": 148, "qrs_duration_ms": 120, "qt_interval_ms": 420, "qtc_ms": 443,
        "p_axis_deg": 44, "qrs_axis_deg": -61, "t_axis_deg": 86}  # fmt: skip
    assert source.patient.sex == "male"
    assert source.patient.age_years == 49
    # Half a step, which the derived leads were rounded to, is the most that a residual can be: 1.25 µV.
    assert 0 < einthoven_residual_mv(recording) < 0.00125
    assert source.median is not None
    assert (source.median.n_samples, source.median.leads) == (599, recording.leads)
    assert -2.5 < recording.signal.min() < recording.signal.max() < 2.5
