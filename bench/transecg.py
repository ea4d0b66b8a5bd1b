"""TransECG's questions on ECG-ID: what a split of single beats pretends, what is left of it, and where it shows.

    python bench/transecg.py ECGID_DIR [--resamples N] [--seed N] [--device cpu]

First identity, sex and age by a transformer over beats: of beats at random, as such figures come about (leaky), beside
recordings, days and people that were not learnt from (sound). Then which segment of the beat gives people away:
attention, never without its lift and what is lost without the segment, what a segment is worth alone, and exact
Shapley values; then the same of a transformer that has learnt nothing, and of one that has learnt wrong names. All
intervals are over people. The paper, doi:10.48550/arXiv.2503.13495, could be had as an abstract only: its four data
sets, its 87 participants, its splits, patches, age classes and training are not known, and ECG-ID is none of its own.
"""

import argparse
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from identity import read_ecg_id
from twelvelead.privacy import (
    ATTACKERS,
    PROTOCOLS,
    NotEstimable,
    beat_units,
    cnn,
    compare,
    eer,
    estimate,
    rank_share,
    simulated_people,
    transecg,
)
from twelvelead.privacy.attribution import attribute
from twelvelead.privacy.coalitions import as_fitted, refitted, thin
from twelvelead.privacy.protocols import cross_record
from twelvelead.privacy.segments import RR, Segmented, segment_beats
from twelvelead.privacy.torch_attackers import CNN, TRANSECG
from twelvelead.privacy.torch_training import Course
from twelvelead.privacy.traits import classes_of, halves, read_traits, trait_attention
from twelvelead.privacy.transecg import AGE, ATTENTION, COURSE, IDENTITY, SEX
from twelvelead.validate import Bootstrap

PAPER = {IDENTITY: 0.886, SEX: 0.899, AGE: 0.899}
PAPER_ATTENTION = "of the paper's abstract: R wave 0.583 of the attention for sex, P-R interval 0.463 for age"
SOUND_COURSE = Course(steps=800, batch=64, rate=5e-3)
SHORT_COURSE = Course(steps=400, batch=64, rate=5e-3)
BEATS = 4  # of each recording, where 256 coalitions are played


def line(*columns, widths=(34, 8, 34, 34)):
    """Print one row."""
    print("  ".join(f"{c!s:{w}}" for c, w in zip(columns, widths, strict=False)), flush=True)


def each_beat(trials):
    """Look for each beat of the probes by itself, as a split of single beats does."""
    return tuple(replace(t, probe=replace(t.probe, group=np.arange(len(t.probe)))) for t in trials)


def name_people(units, leaky, *, bootstrap, device):
    """Print identity, leaky beside sound."""
    rank1 = rank_share(1)
    other = halves(units, seed=bootstrap.seed)[1]
    hit = leaky.people[leaky.answer(other.x, IDENTITY).argmax(axis=1)] == other.subject
    random_half = PROTOCOLS["within_record"].trials(units, seed=bootstrap.seed)
    line("identity, rank 1", "paper", "leaky: beats at random", "sound")
    line("  one beat, all other half", PAPER[IDENTITY], f"{hit.mean():.3f} of {len(hit)} beats", "")
    attack = partial(TRANSECG.attack, device=device)
    alone = compare(replace(TRANSECG, attack=attack), random_half, seed=bootstrap.seed)
    line("  one beat, people equal", PAPER[IDENTITY], estimate(rank1, alone, bootstrap=bootstrap), "")
    for key in ("cross_record", "cross_day_everyone", "cross_day"):
        trials = PROTOCOLS[key].trials(units, seed=bootstrap.seed)
        if isinstance(trials, NotEstimable):
            line(f"  {key}", "", "", trials)
            continue
        reader = transecg.fit(
            trials[0].gallery, {IDENTITY: trials[0].gallery.subject}, seed=bootstrap.seed, course=COURSE, device=device
        )
        read = replace(TRANSECG, attack=lambda b, g, p, *, seed, reader=reader: reader.name(p))
        for what, asked in (("one beat", each_beat(trials)), ("recording", trials)):
            found = compare(read, asked, seed=bootstrap.seed)
            line(f"  {key}, {what}", "", "", estimate(rank1, found, bootstrap=bootstrap))
        line(f"  {key}, recording, EER", "", "", estimate(eer, found, bootstrap=bootstrap))
    convolve = replace(CNN, attack=partial(CNN.attack, device=device))
    for key in ("cross_record", "cross_day_everyone", "subject_disjoint"):
        found = compare(convolve, PROTOCOLS[key].trials(units, seed=bootstrap.seed), seed=bootstrap.seed)
        line(f"  cnn, {key}, rank 1", "", "", estimate(rank1, found, bootstrap=bootstrap))
        line(f"  cnn, {key}, EER", "", "", estimate(eer, found, bootstrap=bootstrap))


def tell_traits(units, leaky, *, bootstrap, device):
    """Print sex and class of age, leaky beside sound and beside who knows no ECG."""
    found = read_traits(units, leaky=leaky, course=SOUND_COURSE, bootstrap=bootstrap, device=device)
    if isinstance(found, NotEstimable):
        print(found)
        return
    line("share told rightly", "paper", "leaky: beats at random", "sound: people never seen")
    for t in found:
        line(f"  {t.head}, one beat", PAPER[t.head], t.leaky, t.sound)
        line(f"  {t.head}, person", "", "", t.sound_person)
        line(f"  {t.head}, commonest class", "", "", t.baseline)
        line(f"  {t.head}, leaky less sound", "", t.leakage, "")


def show_attention(title, attention):
    """Print attention with its lift and what is lost without the segment."""
    print(f"\n{title}")
    widths = (5, 9, *[26] * 7)
    kinds = [f"{what} {n}" for n, _ in enumerate(attention) for what in ("share", "lift")]
    print("   ".join(f"{n}: {a.kind}" for n, a in enumerate(attention)))
    line("", "duration", "lost without", *kinds, widths=widths)
    for name in attention[0].share.names:
        shares = [brief(d.of(name)) for a in attention for d in (a.share, a.lift)]
        line(
            name,
            f"{attention[0].duration.of(name).value:.3f}",
            brief(attention[0].occlusion.of(name)),
            *shares,
            widths=widths,
        )


def brief(e):
    """Write an estimate without the number of people."""
    return f"{e.value:.3f} ({e.lower:.3f} to {e.upper:.3f})" if e.lower is not None else f"{e.value:.3f}"


def show_attribution(title, found):
    """Print what each segment means to an attacker."""
    whole = "  ".join(f"{key} {brief(e)}" for key, e in found.occlusion.whole.items())
    print(f"\n{title}; {'learns anew from what is left' if found.refitted else 'as fitted to whole beats'}\n{whole}")
    widths = (5, 9, *[26] * 7)
    columns = {f"lost {key}": d for key, d in found.occlusion.lost.items()}
    columns |= {f"alone {key}": d for key, d in found.occlusion.alone.items() if key in {"rank_1", "eer"}}
    columns |= {f"Shapley {key[:9]}": d for key, d in found.shapley.items()}
    line("", "duration", *columns, widths=widths)
    for name in found.duration.names:
        line(
            name, f"{found.duration.of(name).value:.3f}", *(brief(d.of(name)) for d in columns.values()), widths=widths
        )
    for row in found.agreement().iter_rows(named=True):
        print(f"  tau {row['first']} / {row['second']}: {row['tau']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})")


def attribute_identity(segmented, *, bootstrap, device):
    """Print, for each attacker, what the segments mean; then the controls."""
    few = thinned(segmented, BEATS)
    trial = cross_record(segmented.units, seed=bootstrap.seed)[0]
    for key in ("template", "lda_beats"):
        game = refitted(ATTACKERS[key], cross_record, segmented, seed=bootstrap.seed)
        show_attribution(key, attribute(game, bootstrap=bootstrap, shapley=key == "template"))
    net = cnn.fit(trial.background, seed=bootstrap.seed, device=device, course=cnn.COURSE)
    read = partial(cnn.compare_on_map, net, trial.gallery, device=device)
    game = as_fitted("cnn", read, cross_record, segmented=few, seed=bootstrap.seed)
    show_attribution("cnn", attribute(game, bootstrap=bootstrap, shapley=False))
    names = trial.gallery.subject
    shuffled = np.random.default_rng(bootstrap.seed).permutation(names)
    nothing = Course(steps=0)
    for title, taught, course in (
        ("transecg", names, COURSE),
        ("control: transecg with weights at random", names, nothing),
        ("control: transecg taught names at random", shuffled, COURSE),
    ):
        reader = transecg.fit(trial.gallery, {IDENTITY: taught}, seed=bootstrap.seed, course=course, device=device)
        explain(title, reader, segmented, trial=trial, bootstrap=bootstrap, shapley=title == "transecg")


def attribute_simulated(*, bootstrap, device):
    """Print where a signature is found that is known to be in T, or to be nowhere."""
    for signature in ("t", None):
        release = simulated_people(40, 2, seed=bootstrap.seed, signature=signature)
        segmented = segment_beats(release, beat_units(release, leads=("I", "V2")))
        game = refitted(ATTACKERS["template"], cross_record, segmented, seed=bootstrap.seed)
        show_attribution(f"{release.label}: template", attribute(game, bootstrap=bootstrap, shapley=True))
        trial = cross_record(segmented.units, seed=bootstrap.seed)[0]
        taught = {IDENTITY: trial.gallery.subject}
        reader = transecg.fit(trial.gallery, taught, seed=bootstrap.seed, course=SHORT_COURSE, device=device)
        explain(f"{release.label}: transecg", reader, segmented, trial=trial, bootstrap=bootstrap, shapley=True)


def explain(title, reader, segmented, *, trial, bootstrap, shapley):
    """Print attribution and attention of a transformer that names people."""
    few, shown = thinned(segmented, BEATS), thinned(segmented, BEATS, only=trial.probe)
    wanted = np.searchsorted(reader.people, shown.units.subject)
    maps = transecg.look(reader, shown.units.x, head=IDENTITY, wanted=wanted)
    game = as_fitted("transecg", reader.name, cross_record, segmented=few, seed=bootstrap.seed)
    attended = (shown, dict(zip(ATTENTION, maps, strict=True)))
    found = attribute(game, bootstrap=bootstrap, shapley=shapley, attended=attended)
    show_attribution(title, found)
    show_attention(f"{title}: identity", found.attention)
    apart = found.occlusion.lost["impostors_beaten"].apart_from(0.0)
    print(f"segments without which impostors beaten differ, surely: {', '.join(apart) or 'none'}")


def thinned(segmented, n, *, only=None):
    """Keep some beats of each recording; of those in `only` if given."""
    units = segmented.units
    kept = np.ones(len(units), dtype=bool) if only is None else np.isin(mark(units), mark(only))
    marked = replace(units, at_s=np.arange(len(units), dtype=float)).take(kept)
    at = thin(marked, n).at_s.astype(int)
    return Segmented(units.take(at), segmented.of_sample[at], segmented.delineator)


def mark(units):
    """Return a number that no two beats share: the recording, and where in it."""
    return units.recording * 1e4 + units.at_s


def main():
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ecg_id", type=Path)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # a dozen headers of ECG-ID have checksums of other samples
    bootstrap, device = Bootstrap(given.resamples, given.seed, 0.95), given.device
    start = time.process_time()
    release = read_ecg_id(given.ecg_id)
    units = beat_units(release)
    print(f"{len(release.samples)} recordings of {len(release.subject_ids)} people, {len(units)} beats of lead I")
    learn = halves(units, seed=bootstrap.seed)[0]
    asked = {IDENTITY: learn.subject, **classes_of(learn)}
    leaky = transecg.fit(learn, asked, seed=bootstrap.seed, course=COURSE, device=device)
    name_people(units, leaky, bootstrap=bootstrap, device=device)
    tell_traits(units, leaky, bootstrap=bootstrap, device=device)
    segmented = segment_beats(release, units)
    print(f"\nsegments by {segmented.delineator}; not delineated: {segmented.unsegmented or 'none'};")
    print(f"in {len(segmented.without_p)} recordings no P wave stands out, and it stands where it usually does;")
    print(PAPER_ATTENTION)
    print(f"RR: {RR}")
    few = thinned(segmented, BEATS, only=halves(units, seed=bootstrap.seed)[1])
    for head, wanted in classes_of(few.units).items():
        attention = trait_attention(leaky, few, head=head, wanted=wanted, bootstrap=bootstrap)
        show_attention(f"leaky transformer: {head}; lost is log-probability of the right class", attention)
    attribute_identity(segmented, bootstrap=bootstrap, device=device)
    attribute_simulated(bootstrap=bootstrap, device=device)
    print(f"\n{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
