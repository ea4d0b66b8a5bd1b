"""Who can be picked out of ECG-ID and PTB-XL: attackers, protocols and figures, each with its interval over people.

    python bench/identity.py ECGID_DIR [--ptbxl DIR] [--resamples N] [--seed N]

ECG-ID: lead I of 90 people, the channel as recorded. First what is asked of it (the ranges that quick measurements of
the same data gave before), then attackers by protocols, two transforms that are thought to protect, sex and age with
and without the leak, and people who are simulated. PTB-XL: what can be said of the patients with two recordings.
"""

import argparse
import time
import warnings
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from twelvelead.io import read, read_header
from twelvelead.privacy import (
    ATTACKERS,
    PROTOCOLS,
    NotEstimable,
    Release,
    Sample,
    add_noise,
    at_even_odds,
    beat_units,
    chance_linkability,
    cllr,
    compare,
    difference,
    dir_at_fpir,
    eer,
    estimate,
    feature_units,
    gallery_curve,
    linear,
    linkability,
    match_devices,
    min_cllr,
    nearest,
    rank_share,
    read_age,
    read_sex,
    resample_to,
    simulated_people,
    subject_risk,
    tar_at_far,
    uniqueness,
)
from twelvelead.privacy.protocols import cross_record, subject_disjoint
from twelvelead.signal import Recording
from twelvelead.validate import Bootstrap

CHEAP = [key for key, attacker in ATTACKERS.items() if attacker.extra is None]
WINDOW_S = 5.0
FIRST_TO_SECOND = partial(subject_disjoint, within=cross_record)
STEPS = {"heart_rate_bpm": 1.0, "qrs_duration_ms": 2.0, "qt_interval_ms": 2.0, "r_amplitude_i_mv": 0.01}


def read_ecg_id(folder):
    """Read ECG-ID: the raw channel, with age, sex and day from the header."""
    samples = []
    for path in sorted(folder.glob("Person_*/rec_*.hea"), key=lambda p: (p.parent.name, int(p.stem.split("_")[1]))):
        said = dict(part.split(":", 1) for part in read_header(path).comments if ":" in part)
        said = {key.strip(): value.strip() for key, value in said.items()}
        whole = read(path)
        ecg = Recording(whole.signal[:1], ("I",), whole.fs, id=f"{path.parent.name}/{path.stem}")
        day = datetime.strptime(said["ECG date"], "%d.%m.%Y").date()
        samples.append(Sample(ecg, path.parent.name, day, None, float(said["Age"]), said["Sex"]))
    return Release(tuple(samples))


def read_ptbxl(folder):
    """Read the PTB-XL recordings that are there, with patient, device and time."""
    table = pl.read_csv(folder / "ptbxl_database.csv", try_parse_dates=False, infer_schema_length=0)
    samples = []
    for row in table.iter_rows(named=True):
        path = folder / f"{row['filename_hr']}.hea"
        if path.exists():
            when = datetime.strptime(row["recording_date"], "%Y-%m-%d %H:%M:%S")
            samples.append(Sample(read(path), row["patient_id"], when, row["device"].strip()))
    return Release(tuple(samples))


def units_of(release, *, leads=None):
    """Return what each kind of attacker sees, and say what can't be measured."""
    units = {"beats": beat_units(release, leads=leads), "features": feature_units(release, window_s=WINDOW_S)}
    lost = ", ".join(f"{key} {len(u.unmeasured)}" for key, u in units.items())
    print(f"\n== {release.label}: {len(release.samples)} recordings of {len(release.subject_ids)} people; lost: {lost}")
    return units


def attack(units, trials_of, key, *, bootstrap, label):
    """Run one attacker by one protocol, print rank 1 and EER, and return the comparisons."""
    start = time.process_time()
    attacker = ATTACKERS[key]
    compared = compare(attacker, trials_of(units[attacker.view], seed=bootstrap.seed), seed=bootstrap.seed)
    rank1, rate = (estimate(figure, compared, bootstrap=bootstrap) for figure in (rank_share(1), eer))
    spent = time.process_time() - start
    print(f"{label:24} {key:13} rank 1 {rank1!s:38} EER {rate!s:38} {spent:5.1f} s", flush=True)
    return compared


def show_more(compared, *, bootstrap):
    """Print the other figures of one attack."""
    figures = {
        "rank 5": rank_share(5),
        "TAR at FAR 0.01": tar_at_far(0.01),
        "TAR at FAR 0.001": tar_at_far(0.001),
        "Cllr (bits)": cllr,
        "min Cllr (bits)": min_cllr,
        "D_sys": linkability,
    }
    for name, figure in figures.items():
        print(f"    {name:18} {estimate(figure, compared, bootstrap=bootstrap, share=name[0] in 'rT')}")
    print(f"    D_sys by lot       {chance_linkability(compared, seed=bootstrap.seed):.3f}")
    for row in gallery_curve(compared, sizes=[10, 30, 89, 1000, 100_000]).iter_rows(named=True):
        print(f"    rank 1 among {row['gallery']:<7} {row['share']:.3f}{'  extrapolated' * row['extrapolated']}")
    risk = subject_risk(compared)
    print(f"    people always first: {risk.filter(pl.col('rank_1') == 1).height} of {risk.height}")


def show_open_set(units, *, bootstrap):
    """Print what happens when half of the people are not enrolled."""
    trials = PROTOCOLS["open_set"].trials(units["beats"], seed=bootstrap.seed)
    compared = compare(ATTACKERS["template"], trials, seed=bootstrap.seed)
    for name, figure in {
        "DIR at FPIR 0.01": dir_at_fpir(0.01),
        "DIR at FPIR 0.1": dir_at_fpir(0.1),
        **{f"{what}": at_even_odds(what) for what in ("unknown accepted", "known rejected", "known mistaken")},
    }.items():
        print(f"open set, template: {name:18} {estimate(figure, compared, bootstrap=bootstrap)}", flush=True)


def show_soft(units, *, bootstrap):
    """Print sex and age, leaky and sound."""
    for view, predict in (("beats", nearest), ("beats", linear), ("features", linear)):
        sex, age = (ask(units[view], predict, bootstrap=bootstrap) for ask in (read_sex, read_age))
        for f in [found for found in (sex, *(age if isinstance(age, tuple) else (age,))) if found]:
            name = f"{predict.__name__} on {view}"
            if isinstance(f, NotEstimable):
                print(f"{name:20} {f}")
                continue
            print(f"{name:20} {f.figure:6} leaky {f.leaky}  sound {f.sound}  per person {f.sound_person}")
            print(f"{'':20} {'':6} baseline {f.baseline:.3f}  leakage {f.leakage}", flush=True)


def attack_ecg_id(folder, *, bootstrap):
    """Everything that is asked of ECG-ID."""
    release = read_ecg_id(folder)
    units = units_of(release)
    compared = {}
    for protocol in PROTOCOLS.values():
        for key in CHEAP:
            if protocol.key == "open_set" or (protocol.key == "within_record" and key == "xgb_features"):
                continue  # the first has figures of its own; the second takes long, and tells nothing
            label = protocol.key + " (leaks)" * protocol.leaks
            compared[protocol.key, key] = attack(units, protocol.trials, key, bootstrap=bootstrap, label=label)
    label = "disjoint, 1st to 2nd"
    trained = attack(units, FIRST_TO_SECOND, "lda_beats", bootstrap=bootstrap, label=label)
    print("\nfirst recording to second, template:")
    show_more(compared["cross_record", "template"], bootstrap=bootstrap)
    show_open_set(units, bootstrap=bootstrap)
    show_soft(units, bootstrap=bootstrap)
    rows = uniqueness(feature_units(release), steps=STEPS, level=bootstrap.level)
    print(f"{', '.join(STEPS)} rounded to {list(STEPS.values())}: unique {rows.unique}, found again {rows.linked}")
    for transform in (resample_to(100), resample_to(25), add_noise(0.1, seed=bootstrap.seed)):
        changed = transform(release)
        units = units_of(changed)
        for key in ("template", "lda_features"):
            new = attack(units, cross_record, key, bootstrap=bootstrap, label="cross_record")
            change = difference(rank_share(1), compared["cross_record", key], new, bootstrap=bootstrap)
            print(f"{'':38} change of rank 1 {change}")
        new = attack(units, FIRST_TO_SECOND, "lda_beats", bootstrap=bootstrap, label=label)
        for name, figure in (("rank 1", rank_share(1)), ("EER", eer)):
            print(f"{'':38} change of {name} {difference(figure, trained, new, bootstrap=bootstrap)}")


def attack_ptbxl(folder, *, bootstrap):
    """Print what PTB-XL can tell: few come twice, and to a few devices."""
    units = units_of(read_ptbxl(folder))
    for name in ("cross_record", "cross_day_everyone"):
        for key in ("template", "lda_beats", "lda_features"):
            found = attack(units, PROTOCOLS[name].trials, key, bootstrap=bootstrap, label=name)
            matched = match_devices(found)
            for what, figure in (("rank 1", rank_share(1)), ("EER", eer)):
                print(f"{'':30} same device: {what} {estimate(figure, matched, bootstrap=bootstrap)}")
    everyone = subject_disjoint(units["beats"], seed=bootstrap.seed)
    print(f"subject_disjoint: {everyone if isinstance(everyone, NotEstimable) else f'{len(everyone)} folds'}")


def attack_simulated(*, bootstrap):
    """Attack people who have no signature, and people who have one."""
    for signature in (None, "t"):
        units = units_of(simulated_people(60, 3, seed=bootstrap.seed, signature=signature), leads=("I", "V2"))
        for name in ("within_record", "cross_record", "cross_record_all", "subject_disjoint"):
            for key in ("lda_beats",) if name == "within_record" else CHEAP:
                attack(units, PROTOCOLS[name].trials, key, bootstrap=bootstrap, label=name)
        if signature is None:
            show_soft(units, bootstrap=bootstrap)


def main():
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ecg_id", type=Path)
    parser.add_argument("--ptbxl", type=Path)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # a dozen headers of ECG-ID have checksums of other samples
    bootstrap = Bootstrap(given.resamples, given.seed, 0.95)
    start = time.process_time()
    attack_ecg_id(given.ecg_id, bootstrap=bootstrap)
    attack_simulated(bootstrap=bootstrap)
    if given.ptbxl:
        attack_ptbxl(given.ptbxl, bootstrap=bootstrap)
    print(f"\n{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
