"""Signal tables as instruments and spreadsheets write them; what is no signal; bounds."""

import numpy as np
import polars as pl
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.io.formats.npy import open_npy
from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.signal_table import MOST_VALUES
from twelvelead.terms import FormatError, InputError

VALUES = [[0.5, -1.25], [0.75, 2.0], [1.0, 3.5]]  # mV, exact in float32


@pytest.mark.parametrize(
    "text",
    [
        "time_s,I,II\n0,0.5,-1.25\n0.002,0.75,2\n0.004,1,3.5\n",
        "time;I (mV);Lead II (mV)\r\n0,000;0,5;-1,25\r\n0,002;0,75;2\r\n0,004;1;3,5\r\n",
        "\ufefft\tI\tII\n0\t0.5\t-1.25\n0.002\t0.75\t2\n0.004\t1\t3.5\n",
        '"time [ms]","I [uV]","lead_ii [uV]"\n0,500,-1250\n2,750,2000\n4,1000,3500\n',
        "time_ms;I;II\nms;uV;uV\n0;500;-1250\n2;750;2000\n4;1000;3500\n",
        "time;I;II\n(s);(mV);(V)\n0;0,5;-0,00125\n0,002;0,75;0,002\n0,004;1;0,0035\n",
        "sample,time,I_mV,II_uV\n0,0,0.5,-1250\n1,0.002,0.75,2000\n2,0.004,1,3500\n",
        "time;I (mV);II (mV);note\n0;5e-1;-125e-2;a\n0.002;0.75;2;b\n0.004;1;3.5;c\n",
        "time (s),MDC_ECG_LEAD_I (\u00b5V),II (\u00b5V)\n0,500,-1250\n0.002,750,2000\n0.004,1000,3500\n",
    ],
)
@pytest.mark.parametrize(("name", "encoding"), [("x.csv", "utf-8"), ("x.txt", "utf-8"), ("x", "latin-1")])
def test_every_way_to_write_a_table_gives_the_same_recording(text, name, encoding, tmp_path):
    content = text.encode(encoding, errors="ignore") if encoding == "utf-8" else text.lstrip("\ufeff").encode(encoding)
    (tmp_path / name).write_bytes(content)
    assert len(find_recordings([tmp_path])) == 1
    r = read(tmp_path / name, units=None if "V" in text else "mV")
    assert (r.leads, r.fs, r.id) == (("I", "II"), 500, "x")
    np.testing.assert_allclose(r.signal.T, VALUES, rtol=1e-7, atol=0)


def test_what_is_declared_outranks_the_units_of_a_table(tmp_path):
    (tmp_path / "x.csv").write_text("time_s,I (uV)\n0,1\n0.002,2\n")
    assert read(tmp_path / "x.csv")["I"][0] == pytest.approx(0.001)
    assert read(tmp_path / "x.csv", units="mV")["I"][0] == 1


@pytest.mark.parametrize("header", ["time_s,I (mV),II", "time_s,I,II"])
def test_a_unit_that_one_column_lacks_must_be_declared(header, tmp_path):
    (tmp_path / "x.csv").write_text(f"{header}\n0,1,2\n0.002,3,4\n")
    with pytest.raises(InputError, match="must declare units"):
        read(tmp_path / "x.csv")


def test_a_unit_that_is_no_voltage_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("time_s,I (mV),II (mV)\n0,1,2\n0.002,3,4\n")
    (tmp_path / "x.json").write_text('{"leads": ["I", "other"], "units": "mmHg"}')
    with pytest.raises(InputError, match="units must be one of mV, uV, V; got 'mmHg'"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize(
    "header",
    [
        "ecg_id,age,sex,V1",
        "patient_id;I;diagnosis",
        "lead,beat,time_s",
        "a,b,c",
        "",
        ",".join("abcdefgh") + ",II",
    ],
)
def test_tables_of_patients_are_no_signals(header, tmp_path):
    (tmp_path / "x.csv").write_text(f"{header}\n1,2,3,4\n")
    with pytest.raises(InputError, match="got none"):
        find_recordings([tmp_path])


def test_parquet_tells_units_in_its_names_and_leaves_text_out(tmp_path):
    table = {"time": [0.0, 0.002, 0.004], "I (mV)": [0.5, 0.75, 1.0], "II (V)": [-0.00125, 0.002, 0.0035]}
    pl.DataFrame(table | {"note": ["a", "b", "c"]}).write_parquet(tmp_path / "x")
    np.testing.assert_allclose(read(tmp_path / "x").signal.T, VALUES, rtol=1e-7, atol=0)


def test_a_parquet_table_far_larger_than_its_file_is_refused(tmp_path):
    pl.select(I=pl.repeat(0.5, MOST_VALUES + 1)).write_parquet(tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 1_000_000
    with pytest.raises(FormatError, match=f"got 1 columns and {MOST_VALUES + 1} values"):
        read(tmp_path / "x.parquet", fs=500, units="mV")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n1\n", "must name 1 to 1024 columns"),
        (b"I,II\n1,2\n3,4,5\n", "must be a readable CSV table"),
        (b"I,II\n1,2\n3,x\n", "signal columns must hold numbers; got String in column 'II'"),
        (b"I,II\n1,2\n3,1e400\n", "samples must be finite"),
    ],
)
def test_a_broken_table_is_refused(content, message, tmp_path):
    (tmp_path / "x.csv").write_bytes(content)
    (tmp_path / "x.json").write_text('{"fs": 500, "leads": ["I", "II"], "units": "mV"}')
    with pytest.raises(InputError, match=message):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("fs", [10**400, -1, 0, float("nan"), float("inf"), 1e7])
def test_a_rate_that_can_not_be_is_refused(fs, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 2)))
    with pytest.raises(InputError, match="fs must be a positive number of Hz"):
        open_npy(tmp_path / "x.npy", Declaration(fs=fs, leads=("I", "II"), units="mV"))


def test_a_sidecar_of_brackets_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 2)))
    (tmp_path / "x.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="must hold only fs, leads and units"):
        read(tmp_path / "x.npy")


def test_whole_numbers_have_a_step_and_a_column_of_time_is_left_out(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(15, dtype=np.int16).reshape(5, 3))
    source = open_recording(tmp_path / "x.npy", fs=500, leads=("Time", "I", "II"), units="uV")
    assert (source.step_mv, source.read().leads) == ((0.001, 0.001), ("I", "II"))
    np.testing.assert_allclose(source.span(1, 2).signal[:, 0], [0.004, 0.005], rtol=1e-6)
    np.save(tmp_path / "x.npy", np.zeros((5, 3)))
    assert open_recording(tmp_path / "x.npy", fs=500, leads=("t", "I", "II"), units="uV").step_mv == ()
