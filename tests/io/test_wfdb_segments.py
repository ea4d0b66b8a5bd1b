"""WFDB records made of segments: against the wfdb package, by hand, and broken ones."""

import warnings

import numpy as np
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.terms import FormatError, InputError


def segment(folder, name, columns, *, leads, fs=500, gain=1000):
    """Write a record of format 16; `columns` has the shape (n_samples, n_leads)."""
    columns = np.asarray(columns, dtype="<i2")
    (folder / f"{name}.dat").write_bytes(columns.tobytes())
    lines = [f"{name} {len(leads)} {fs} {len(columns)}"]
    lines += [f"{name}.dat 16 {gain}/mV 16 0 {columns[0, n]} 0 0 {lead}" for n, lead in enumerate(leads)]
    sums = columns.astype(int).sum(axis=0)
    lines[1:] = [line.replace(" 0 0 ", f" {sums[n]} 0 ") for n, line in enumerate(lines[1:])]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")


def fixed(folder, *, rows="r_0001 20\nr_0002 30\n~ 15\nr_0003 10\n", n=75):
    steps = np.random.default_rng(0).integers(-900, 900, (60, 2))
    for name, (first, stop) in {"r_0001": (0, 20), "r_0002": (20, 50), "r_0003": (50, 60)}.items():
        segment(folder, name, steps[first:stop], leads=("I", "V5"))
    (folder / "r.hea").write_text(f"r/{len(rows.splitlines())} 2 500 {n} 10:00:00 02/03/2001\n{rows}# Age: 50\n")
    return folder / "r.hea", steps / 1000


def whole(folder):
    """Without the null segment, at which the package gives up where the layout is fixed."""
    return fixed(folder, rows="r_0001 20\nr_0002 30\nr_0003 10\n", n=60)


def variable(folder):
    """Layout I, II, V5; the segments have II and I, or V5 alone at another gain."""
    rng = np.random.default_rng(1)
    first, last = rng.integers(-900, 900, (20, 2)), rng.integers(-900, 900, (30, 1))
    segment(folder, "r_0001", first, leads=("II", "I"))
    segment(folder, "r_0002", last, leads=("V5",), gain=500)
    layout = "r_layout 3 500 0\n" + "".join(f"~ 0 200/mV 0 0 0 0 0 {lead}\n" for lead in ("I", "II", "V5"))
    (folder / "r_layout.hea").write_text(layout)
    (folder / "r.hea").write_text("r/4 3 500 60\nr_layout 0\nr_0001 20\n~ 10\nr_0002 30\n")
    expected = np.full((60, 3), np.nan)
    expected[:20, 0], expected[:20, 1], expected[30:, 2] = first[:, 1] / 1000, first[:, 0] / 1000, last[:, 0] / 500
    return folder / "r.hea", expected


def test_segments_of_a_fixed_layout_follow_one_another(tmp_path):
    path, signal = fixed(tmp_path)
    source, expected = open_recording(path), np.concatenate([signal[:50], np.full((15, 2), np.nan), signal[50:]])
    np.testing.assert_allclose(source.read().signal.T, expected, rtol=0, atol=1e-6)
    assert (source.n_samples, source.read().leads, source.step_mv) == (75, ("I", "V5"), (0.001, 0.001))
    assert source.patient.age_years == 50
    span = source.span(45, 70)
    np.testing.assert_allclose(span.signal.T, expected[45:70], rtol=0, atol=1e-6)
    assert (span.start - source.read().start).total_seconds() == 45 / 500


def test_a_variable_layout_names_the_leads(tmp_path):
    path, expected = variable(tmp_path)
    r = read(path)
    assert r.leads == ("I", "II", "V5")
    np.testing.assert_allclose(r.signal.T, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(open_recording(path).span(10, 31).signal.T, expected[10:31], rtol=0, atol=1e-6)


@pytest.mark.parametrize("write", [whole, variable])
def test_values_equal_the_wfdb_package(write, tmp_path):
    wfdb = pytest.importorskip("wfdb", reason="the wfdb package is not installed: no independent reader")
    path, _ = write(tmp_path)
    theirs = wfdb.rdrecord(str(path.with_suffix("")))
    ours = read(path)
    assert list(ours.leads) == theirs.sig_name
    np.testing.assert_allclose(ours.signal, theirs.p_signal.T, rtol=0, atol=1e-6)


def test_only_the_segments_of_a_span_are_opened(tmp_path):
    path, signal = fixed(tmp_path)
    (tmp_path / "r_0003.hea").unlink()
    (tmp_path / "r_0002.dat").write_bytes(b"")
    np.testing.assert_allclose(open_recording(path).span(5, 20).signal.T, signal[5:20], rtol=0, atol=1e-6)
    with pytest.raises(FormatError, match=r"r_0002\.dat must have 120 bytes .* got 0 in record 'r_0002'"):
        open_recording(path).span(5, 21)
    with pytest.raises(FormatError, match=r"'r_0003\.hea' must lie beside its header; got none for r\.hea"):
        open_recording(path).span(70, 75)


def test_a_folder_with_segments_holds_one_recording(tmp_path):
    fixed(tmp_path)
    (tmp_path / "v").mkdir()
    variable(tmp_path / "v")
    segment(tmp_path, "s_0001", [[1]], leads=("I",))  # looks like one, but belongs to none
    assert [f.recording_id for f in find_recordings([tmp_path])] == ["r", "s_0001", "v/r"]
    assert read(tmp_path / "r_0002.hea").n_samples == 30


@pytest.mark.parametrize(
    ("rows", "n", "message"),
    [
        ("r_0001 20\n", 75, "75 samples together; got 20"),
        ("r_0001 20\nr_0001 20\n", 40, "each segment once, and one at least; got 2 names of 1"),
        ("~ 20\n", 20, "one at least; got 0 names"),
        ("r 20\n", 20, "a segment must be in one piece, at 500 Hz as its record; got 1 segments"),
        ("../r_0001 20\n", 20, "files of its own folder; got '../r_0001.hea'"),
        ("nobody 20\n", 20, "'nobody.hea' must lie beside its header"),
        ("r_0001\n", 20, "its name and its number of samples; got 'r_0001' in r.hea, line 2"),
        ("r_0001 -2\n", 20, "its name and its number of samples"),
        ("r_0001 50000000000\n", 50000000000, "r_0001 must have 50000000000 samples; got 20"),
        ("r_0001 20\n~ 50000000000\n", 50000000020, "must lack at most 33554432 samples; got 100000000000"),
        ("r_0001 20\nother 20\n", 40, "all segments must have the leads I, V5; got I, V1 in other"),
        ("r_0001 20\nslow 20\n", 40, "at 500 Hz as its record; got 250 Hz in slow.hea"),
    ],
)
def test_segments_that_can_not_be_are_refused(rows, n, message, tmp_path):
    segment(tmp_path, "other", np.zeros((20, 2)), leads=("I", "V1"))
    segment(tmp_path, "slow", np.zeros((20, 2)), leads=("I", "V5"), fs=250)
    path, _ = fixed(tmp_path, rows=rows, n=n)
    with pytest.raises(InputError, match=message):
        read(path)


@pytest.mark.parametrize("count", ["100000", "0", "-1"])
def test_the_number_of_segments_is_bounded(count, tmp_path):
    (tmp_path / "r.hea").write_text(f"r/{count} 2 500\n" + "".join(f"r_{n} 1\n" for n in range(20_000)))
    with pytest.raises(FormatError, match="must have 1 to 10000 segments"):
        read(tmp_path / "r.hea")


def test_records_that_name_one_another_are_refused(tmp_path):
    (tmp_path / "a.hea").write_text("a/1 1 500 5\nb 5\n")
    (tmp_path / "b.hea").write_text("b/1 1 500 5\na 5\n")
    with pytest.raises(FormatError, match="in one piece"):
        read(tmp_path / "a.hea")


def test_a_layout_without_voltages_is_refused(tmp_path):
    path, _ = variable(tmp_path)
    layout = tmp_path / "r_layout.hea"
    layout.write_text(layout.read_text().replace("/mV", "/NU"))
    with pytest.raises(FormatError, match=r"a signal in mV, uV or V; got none in r\.hea"):
        read(path)


def test_missing_lines_of_segments_are_refused(tmp_path):
    (tmp_path / "r.hea").write_text("r/3 1 500 5\nb 5\n")
    with pytest.raises(FormatError, match="a line per segment; got 1 of 3"):
        read(tmp_path / "r.hea")


@pytest.mark.parametrize("write", [fixed, variable])
def test_mutated_headers_raise_nothing_but_input_errors(write, tmp_path):
    rng = np.random.default_rng(4)
    path, _ = write(tmp_path)
    headers = {header: header.read_bytes() for header in tmp_path.glob("*.hea")}
    outcomes = {"read": 0, "refused": 0}
    for _ in range(150):
        for header, good in headers.items():
            mutated = bytearray(good)
            if rng.random() < 0.5:
                mutated[rng.integers(len(mutated))] = rng.choice(list(b"0123456789/~_ \nrI"))
            header.write_bytes(mutated)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(path)
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5
