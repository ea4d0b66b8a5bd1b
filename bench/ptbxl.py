"""The first real result in the README: the study `ptbxl` on a folder of PTB-XL, its figures and its picture.

Run: python bench/ptbxl.py PTBXL_FOLDER [OUT]. Writes the study to OUT (default out/ptbxl), prints the table of the
README and draws docs/ptbxl.svg.
"""

import sys
from pathlib import Path

import polars as pl

from twelvelead.io.tables import write_text
from twelvelead.report import draw_forest
from twelvelead.study import declare, run_study

PICTURE = Path(__file__).parents[1] / "docs" / "ptbxl.svg"


def main(folder, out):
    """Run the study, print the table, draw the picture."""
    study = declare("ptbxl")
    results = run_study(study, data=Path(folder), out=Path(out), workers=2)
    auroc = results.performance.filter((pl.col("metric") == "auroc") & (pl.col("stratum") == "all"))
    gain = results.performance.filter((pl.col("metric") == "delta_auroc") & (pl.col("stratum") == "all"))
    n, patients = auroc["n"].max(), auroc["n_patients"].max()
    print(f"{n} recordings of {patients} patients, every patient held out once; 95 % intervals from")
    print(f"{study.validation.n_resamples} bootstrap resamples of patients\n")
    print("| | events | age + sex | ECG + age + sex | gain |\n|---|---|---|---|---|")
    for target in study.targets:
        cells = [
            interval(auroc.filter(target=target.name, model="age_sex")),
            interval(auroc.filter(target=target.name, model="ecg_age_sex")),
            interval(gain.filter(target=target.name, model="ecg_age_sex")),
        ]
        events = auroc.filter(target=target.name)["n_events"][0]
        print(f"| {target.title} | {events} | {' | '.join(cells)} |")
    means = {m: auroc.filter(model=m)["estimate"].mean() for m in ("age_sex", "ecg_age_sex")}
    print(f"| **mean** | | {means['age_sex']:.3f} | **{means['ecg_age_sex']:.3f}** | |")
    titles = {t.name: t.title for t in study.targets}
    write_text(
        draw_forest(auroc, titles=titles, metric="auroc", axis_title="AUROC with 95 % interval", reference=0.5), PICTURE
    )


def interval(row):
    """Write an estimate with its interval."""
    r = row.row(0, named=True)
    return f"{r['estimate']:.3f} ({r['lower']:.3f} to {r['upper']:.3f})"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "out/ptbxl")
