import hashlib
import os

import polars as pl
import pytest

from twelvelead.io import read_json, read_table, sha256, write_json, write_table, write_text
from twelvelead.terms import FormatError, InputError

TABLE = pl.DataFrame({"a": [1.5, None], "b": ["x", "y"], "c": [["p", "q"], []]})


def test_parquet_comes_back_as_it_was(tmp_path):
    write_table(TABLE, tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").equals(TABLE)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    write_table(TABLE, tmp_path / "1.parquet")
    write_table(TABLE.clone(), tmp_path / "2.parquet")
    assert sha256(tmp_path / "1.parquet") == sha256(tmp_path / "2.parquet")


def test_csv_joins_lists_and_keeps_text_from_being_a_formula(tmp_path):
    write_table(TABLE.with_columns(b=pl.Series(["=1+1", "@x"])), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a,b,c\n1.5,'=1+1,p q\n,'@x,\"\"\n"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_text("old", tmp_path / "f.txt")

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text("new", tmp_path / "f.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["f.txt"]
    assert (tmp_path / "f.txt").read_text() == "old"


def test_json_is_sorted_and_refuses_nan(tmp_path):
    write_json({"b": 1, "a": "é"}, tmp_path / "j.json")
    assert (tmp_path / "j.json").read_text() == '{\n "a": "é",\n "b": 1\n}\n'
    assert read_json(tmp_path / "j.json") == {"a": "é", "b": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(float("nan"), tmp_path / "j.json")


def test_sha256_is_the_standard_one(tmp_path):
    write_text("abc", tmp_path / "f")
    assert sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("t.parquet", b"PAR1 not", FormatError, "readable .parquet table"),
        ("t.xlsx", b"", InputError, "must end in .parquet, .csv, .tsv"),
        ("j.json", b"{", FormatError, "must be JSON"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, error, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message):
        (read_json if name.endswith("json") else read_table)(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing.csv', which is not"):
        read_table(tmp_path / "nothing.csv")


def test_the_hash_of_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="which is not"):
        sha256(tmp_path / "nothing")


def test_parquet_bytes_depend_on_the_content_alone(tmp_path):
    for name in ("a.parquet", "b.parquet"):
        write_table(TABLE.clone(), tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
