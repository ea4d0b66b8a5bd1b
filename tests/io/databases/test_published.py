import gzip
from datetime import datetime

import polars as pl
import pytest

from twelvelead.io.databases.published import (
    Table,
    count_rows,
    find_strangers,
    find_tables,
    missing_columns,
    scan,
)
from twelvelead.terms import FormatError, InputError

THING = Table(
    "thing", {"id": pl.String, "at": pl.Datetime("us"), "n": pl.Float64}, {"more": pl.Int32}, part="A database"
)
TEXT = "id,at,n,other\n5.0,2180-01-02 03:04:05,1.5,x\n,,,\n7,2180-01-02 03:04:06,,y\n"
ROWS = [("5", datetime(2180, 1, 2, 3, 4, 5), 1.5, "x"), (None,) * 4, ("7", datetime(2180, 1, 2, 3, 4, 6), None, "y")]


def test_a_table_is_read_as_its_types(tmp_path):
    (tmp_path / "thing.csv").write_text(TEXT)
    (tmp_path / "thing.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    pl.read_csv(TEXT.encode(), infer_schema_length=None).write_parquet(tmp_path / "thing.parquet")
    for suffix in ("csv", "csv.gz", "parquet"):
        assert scan(THING, tmp_path / f"thing.{suffix}").collect().rows() == ROWS, suffix
        assert count_rows(tmp_path / f"thing.{suffix}") == 3


@pytest.mark.parametrize("time", ["2180-01-02", "2180-01-02T00:00:00", "2180-01-02 00:00"])
def test_times_may_be_written_otherwise(tmp_path, time):
    path = tmp_path / "thing.csv"
    path.write_text(f"id,at,n\n1,{time},2\n")
    assert scan(THING, path).collect()["at"].to_list() == [datetime(2180, 1, 2)]


def test_a_time_that_is_none_is_not_lost_silently(tmp_path):
    path = tmp_path / "thing.csv"
    path.write_text("id,at,n\n" + "1,2180-01-02 03:04:05,2\n" * 200 + "2,yesterday,2\n")
    with pytest.raises(pl.exceptions.PolarsError, match="yesterday"):
        scan(THING, path).collect()


def test_a_table_that_lacks_a_column_is_named(tmp_path):
    path = tmp_path / "thing.csv"
    path.write_text("id,n\n1,2\n")
    with pytest.raises(FormatError, match="must have the columns of A database; got none named at"):
        scan(THING, path)
    assert missing_columns(THING, path) == ["at"]
    assert find_tables(tmp_path, [THING]) == {}
    assert find_strangers(tmp_path, [THING]) == {path: ["at"]}


@pytest.mark.parametrize("suffix", ["parquet", "csv.gz"])
def test_a_broken_file_is_no_table(tmp_path, suffix):
    path = tmp_path / f"thing.{suffix}"
    path.write_bytes(b"PAR1 not really" if suffix == "parquet" else gzip.compress(TEXT.encode() * 100)[:60])
    with pytest.raises(FormatError, match="must be a readable table"):
        count_rows(path)


def test_names_are_found_whatever_their_capitals_and_depth(tmp_path):
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "Thing.CSV").write_text(TEXT)
    assert find_tables(tmp_path, [THING]) == {"thing": deep / "Thing.CSV"}
    (tmp_path / "thing.csv").write_text(TEXT)
    with pytest.raises(InputError, match="must hold thing once"):
        find_tables(tmp_path, [THING])


@pytest.mark.parametrize("hidden", ["p1000/p10000032", ".trash"])
def test_patients_folders_are_not_entered(tmp_path, hidden):
    (tmp_path / hidden).mkdir(parents=True)
    (tmp_path / hidden / "thing.csv").write_text(TEXT)
    assert find_tables(tmp_path, [THING]) == {}


def test_a_code_that_ends_in_a_zero_keeps_it(tmp_path):
    """Numbers that a spreadsheet made decimal lose their `.0`; the ICD code N40.0 is no number."""
    (tmp_path / "t.csv").write_text("who,code\n22595853.0,N40.0\n7,I10\n")
    table = Table("t", {"who": pl.String, "code": pl.String})
    assert scan(table, tmp_path / "t.csv").collect().rows() == [("22595853", "N40.0"), ("7", "I10")]
