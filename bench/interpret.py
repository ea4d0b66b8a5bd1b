"""Interpretations against PTB-XL's cardiologists: each finding of ours beside the statements that mean the same.

Run: python bench/interpret.py PTBXL_FOLDER [--write]. --write puts the table into docs/interpretation/accuracy.md.

A statement counts as made where it stands in `scp_codes`, whatever its likelihood: rhythm and form statements always
have the likelihood 0 there, and 0 is "unknown", not "absent". Of infarctions, which are graded 15 to 100, a second line
counts those of 50 % and more. A finding that is indeterminate counts as not made; how many are is said. A recording
that can't be measured counts as one without any finding.

Shares have Wilson's 95 % limits with the patients' design effect, F1 those of 2,000 bootstrap resamples of patients.
There is no machine's interpretation beside ours: PTB-XL has none that cardiologists did not edit.
"""

import argparse
from pathlib import Path

import numpy as np

from twelvelead.interpret.case import examine
from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.proof import Verdict
from twelvelead.io import read
from twelvelead.io.databases import ptbxl
from twelvelead.terms import Unmeasurable
from twelvelead.validate.bootstrap import Bootstrap, resampled_counts
from twelvelead.validate.proportions import shares
from twelvelead.validate.resample import interval, units

PAGE = Path(__file__).parents[1] / "docs" / "interpretation" / "accuracy.md"
BEGIN, END = "<!-- table: bench/interpret.py -->", "<!-- end -->"
LEVEL = 0.95
BOOTSTRAP = Bootstrap(n_resamples=2000, seed=8, level=LEVEL)
# What is asked, statements that mean it, our findings that do, least likelihood in %, asked.
ROWS = (
    ("atrial fibrillation", ("AFIB",), ("atrial_fibrillation",), 0.0, "F1 ≥ 0.85"),
    ("atrial flutter", ("AFLT",), ("atrial_flutter",), 0.0, ""),
    ("fibrillation or flutter", ("AFIB", "AFLT"), ("atrial_fibrillation", "atrial_flutter"), 0.0, ""),
    ("paced rhythm", ("PACE",), ("paced_rhythm",), 0.0, ""),
    ("complete LBBB", ("CLBBB",), ("complete_lbbb",), 0.0, "F1 ≥ 0.85"),
    ("complete RBBB", ("CRBBB",), ("complete_rbbb",), 0.0, "F1 ≥ 0.85"),
    ("incomplete RBBB", ("IRBBB",), ("incomplete_rbbb",), 0.0, ""),
    ("left anterior fascicular block", ("LAFB",), ("left_anterior_fascicular_block",), 0.0, ""),
    ("the same, left axis deviation beside", ("LAFB",), ("left_axis_deviation",), 0.0, ""),
    ("first-degree AV block (PR > 200 ms)", ("1AVB",), ("first_degree_av_block",), 0.0, "F1 ≥ 0.80"),
    ("the same, PR ≥ 220 ms beside", ("1AVB",), ("pr_220",), 0.0, ""),
    ("left ventricular hypertrophy", ("LVH",), ("lvh",), 0.0, ""),
    ("the same or voltage for it", ("LVH", "VCLVH", "HVOLT", "SEHYP"), ("lvh",), 0.0, ""),
    ("premature ventricular beats", ("PVC",), ("ventricular_premature",), 0.0, ""),
    ("premature supraventricular beats", ("PAC",), ("supraventricular_premature",), 0.0, ""),
    ("inferior infarction", ("IMI", "ILMI", "IPMI", "IPLMI"), ("prior_mi_inferior",), 0.0, ""),
    ("the same, likelihood ≥ 50 %", ("IMI", "ILMI", "IPMI", "IPLMI"), ("prior_mi_inferior",), 50.0, ""),
    ("anterior infarction (AMI)", ("AMI",), ("prior_mi_anterior", "prior_mi_anteroseptal"), 0.0, ""),
    ("anteroseptal infarction (ASMI)", ("ASMI",), ("prior_mi_anteroseptal",), 0.0, ""),
    ("anterior of any kind", ("AMI", "ASMI", "ALMI"), ("prior_mi_anterior", "prior_mi_anteroseptal"), 0.0, ""),
    ("the same, likelihood ≥ 50 %", ("AMI", "ASMI", "ALMI"), ("prior_mi_anterior", "prior_mi_anteroseptal"), 50.0, ""),
    ("normal", ("NORM",), ("normal_ecg",), 0.0, "PPV ≥ 0.85"),
)  # fmt: skip


def main():
    """Interpret every recording, compare, print the table and with --write put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    database = ptbxl.load(chosen.folder)
    cohort = database.cohort
    stated = statements(database)
    verdicts = [interpret(database.folder, row) for row in cohort.iter_rows(named=True)]
    patient = units(cohort["patient_id"].to_numpy())
    n_failed = sum(not found for found in verdicts)
    lines = [
        f"{cohort.height} recordings of {int(patient.max()) + 1} patients; {n_failed} could not be measured.",
        "",
        "| statement | n | found | indeterminate | sensitivity | specificity | PPV | F1 | asked |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for title, codes, findings, likelihood, asked in ROWS:
        graded = [[stated.get((recording, code), -1.0) for code in codes] for recording in cohort["recording_id"]]
        truth = np.array(graded).max(axis=1) >= likelihood
        made = np.array([[found.get(key) for key in findings] for found in verdicts])
        said = (made == Verdict.MET).any(axis=1)
        open_ = (made == Verdict.INDETERMINATE).any(axis=1) & ~said
        lines.append(f"| {title} | {' | '.join(compare(truth, said, open_, patient=patient))} | {asked} |")
    table = "\n".join(lines)
    print(table)
    if chosen.write:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def statements(database):
    """Likelihood of each statement by recording and code."""
    events = database.events.filter(system="scp").select("recording_id", "code", "value").collect()
    return {(recording, code): value for recording, code, value in events.iter_rows()}


def interpret(folder, row):
    """Verdict of each finding; none if the recording can't be measured."""
    try:
        case = examine(read(folder / row["path"]), age_years=row["age_years"], sex=row["sex"])
    except Unmeasurable:
        return {}
    return {key: proof.verdict for key, proof in judge(case, DEFAULT).findings.items()}


def compare(truth, said, open_, *, patient):
    """Write n, found, indeterminate, sensitivity, specificity, PPV and F1."""
    cells = [str(truth.sum()), str(said.sum()), str(open_.sum())]
    cells += [share(said, truth, patient), share(~said, ~truth, patient), share(truth, said, patient)]
    entries = np.concatenate([np.flatnonzero(which) for which in (said & truth, said & ~truth, ~said & truth)])
    column = np.repeat([0, 1, 2], [(said & truth).sum(), (said & ~truth).sum(), (~said & truth).sum()])
    everyone = np.concatenate([patient[entries], np.arange(patient.max() + 1)])  # so that all patients can be drawn
    column = np.concatenate([column, np.full(patient.max() + 1, 3)])
    counts = resampled_counts(everyone, column, n_columns=4, bootstrap=BOOTSTRAP)
    with np.errstate(invalid="ignore"):
        replicates = 2 * counts[:, 0] / (2 * counts[:, 0] + counts[:, 1] + counts[:, 2])
    found = interval(replicates, level=LEVEL)
    tp, wrong = (said & truth).sum(), (said != truth).sum()
    if not tp + wrong:
        return [*cells, "–"]
    limits = "" if found.lower is None else f" ({found.lower:.2f} to {found.upper:.2f})"
    return [*cells, f"{2 * tp / (2 * tp + wrong):.3f}{limits}"]


def share(of, among, patient):
    """Write how many of those among whom we look have it, with limits."""
    if not among.any():
        return "–"
    group = np.zeros(int(among.sum()), dtype=np.intp)
    row = shares(of[among].astype(float), group, patient[among], level=LEVEL).row(0, named=True)
    return f"{row['observed']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"


if __name__ == "__main__":
    main()
