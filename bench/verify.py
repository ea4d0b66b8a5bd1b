"""Whether the checker of texts finds what is false, and keeps silent about what is true.

Run: python bench/verify.py PTBXL_FOLDER [N_EACH]. Writes the report, the paragraph and the reasoning of each recording,
checks them untouched, then corrupts them, seeded: N_EACH (default 400) real falsehoods of each of five kinds. What is
false is decided from the measured values and the findings' proofs; what is not false, as a changed number within the
measurement's tolerance, is counted apart. Prints the tables of docs/interpretation/verify.md.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from twelvelead.interpret.case import examine
from twelvelead.interpret.corrupt import KINDS, Scene, corrupt
from twelvelead.interpret.engine import judge
from twelvelead.interpret.narrate import write
from twelvelead.interpret.narrate_paragraph import paragraph
from twelvelead.interpret.narrate_report import report
from twelvelead.interpret.narrate_steps import steps
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.verify import CONTRADICTED, verify
from twelvelead.io import read
from twelvelead.terms import Unmeasurable

FORMS = {"report": report, "paragraph": paragraph, "steps": steps}
SEED = 20260101
OLDEST = 89  # PTB-XL writes 300 for those over 89


def main(folder, n_each):
    """Check every text untouched, then corrupted, and print what was found."""
    scenes = list(tell_all(Path(folder)))
    print(f"{len(scenes)} recordings, {len(scenes) * len(FORMS)} texts\n")
    untouched(scenes)
    corrupted(scenes, n_each)


def tell_all(folder):
    """Write the three texts of each recording that can be measured."""
    with (folder / "ptbxl_database.csv").open(newline="") as file:
        rows = {int(row["ecg_id"]): row for row in csv.DictReader(file)}
    for path in sorted(folder.rglob("*_hr.hea")):
        row = rows[int(path.name.split("_")[0])]
        age = float(row["age"]) if row["age"] else None
        try:
            case = examine(
                read(path), age_years=min(age, OLDEST + 1) if age else None, sex=("male", "female")[int(row["sex"])]
            )
        except Unmeasurable as error:
            print(f"not measured: {path.name}: {error}")
            continue
        found = judge(case, DEFAULT)
        yield {form: Scene(case, DEFAULT, found, tell(case, DEFAULT, found)) for form, tell in FORMS.items()}


def check(scene, text):
    """Give what is contradicted, and how many claims there are."""
    checked = verify(text, scene.case, scene.found)
    return [c for c in checked if c.standing is CONTRADICTED], checked


def untouched(scenes):
    """Count alarms about true texts."""
    print("| text | texts | with an alarm | claims | false alarms | supported |\n|---|---|---|---|---|---|")
    for form in FORMS:
        count = Counter()
        for by_form in scenes:
            wrong, checked = check(by_form[form], write(by_form[form].statements))
            count.update(texts=1, alarmed=bool(wrong), claims=len(checked), wrong=len(wrong))
            count["supported"] += sum(c.standing == "supported" for c in checked)
            for c in wrong:
                print(
                    f"  alarm {by_form[form].case.recording.id} {form}: {c.said!r}: {c.why} ({c.measured})",
                    file=sys.stderr,
                )
        n, m = count["texts"], count["claims"]
        print(
            f"| {form} | {n} | {count['alarmed']} ({count['alarmed'] / n:.2%}) | {m} | {count['wrong']} "
            f"({count['wrong'] / m:.3%}) | {count['supported'] / m:.1%} |",
            flush=True,
        )


def corrupted(scenes, n_each):
    """Count which falsehoods are found: an alarm within the changed sentence."""
    rng = np.random.default_rng(SEED)
    print(f"\nSeed {SEED}.\n\n| kind | false | found | all changed texts | found | not false | no change to be seen |")
    print("|---|---|---|---|---|---|---|")
    total = Counter()
    for kind in KINDS:
        count = Counter()
        while count["false"] < n_each:
            by_form = scenes[int(rng.integers(len(scenes)))]
            scene = by_form[tuple(FORMS)[int(rng.integers(len(FORMS)))]]
            made = corrupt(scene, kind, rng)
            if made is None:
                continue
            if not made.changed:
                count["same"] += 1
                continue
            wrong, _ = check(scene, made.text)
            hit = any(c.start < made.end and made.start < c.end for c in wrong)
            count.update(all=1, all_found=hit, false=made.false, found=hit and made.false, not_false=not made.false)
            if made.false and not hit:
                print(
                    f"  missed {kind}: {made.text[made.start : made.end]!r} ({scene.case.recording.id})",
                    file=sys.stderr,
                )
        row(kind, count)
        total.update(count)
    row("**all**", total)


def row(name, count):
    """Print one line of the table."""
    print(
        f"| {name} | {count['false']} | {count['found']} ({count['found'] / count['false']:.1%}) | {count['all']} | "
        f"{count['all_found']} ({count['all_found'] / count['all']:.1%}) | {count['not_false']} | {count['same']} |",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 400)
