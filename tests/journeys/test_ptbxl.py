"""The study of real recordings, as the README reports it."""

from pathlib import Path

import polars as pl
import pytest

from twelvelead.app.cli import main

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "ptbxl"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/ptbxl is absent: no real recordings to study"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    out = tmp_path_factory.mktemp("ptbxl")
    assert main(["study", "ptbxl", "--data", str(DATA), "--out", str(out)]) == 0
    return out


def test_nearly_every_recording_is_measured(study):
    assert pl.read_parquet(study / "features.parquet").height >= 345


def test_the_superclasses_are_told_apart(study):
    table = pl.read_parquet(study / "performance.parquet")
    auroc = table.filter((pl.col("metric") == "auroc") & (pl.col("stratum") == "all"))
    full = dict(auroc.filter(model="ecg_age_sex").select("target", "estimate").iter_rows())
    assert set(full) == {"NORM", "MI", "STTC", "CD", "HYP"}
    assert full["NORM"] >= 0.91
    assert sum(full.values()) / 5 >= 0.88


def test_the_ecg_adds_to_age_and_sex_for_every_class(study):
    table = pl.read_parquet(study / "performance.parquet")
    gain = table.filter(
        (pl.col("metric") == "delta_auroc") & (pl.col("stratum") == "all") & (pl.col("model") == "ecg_age_sex")
    )
    assert (gain["estimate"] > 0).all()


def test_the_models_apply_to_the_same_files_by_another_way(study, tmp_path):
    out = tmp_path / "risks.parquet"
    status = main(["predict", str(study), str(DATA / "records500"), "--out", str(out),
                   "--demographics", str(DATA / "ptbxl_database.csv")])  # fmt: skip
    assert status == 0
    risks = pl.read_parquet(out)
    assert risks.height == 5 * 350
    assert risks["reason_1"].null_count() == 0
