"""The audit on real people: ECG-ID, of which it is known what a careful attacker reaches."""

import re
import warnings
from datetime import date
from pathlib import Path

import pytest

from twelvelead.io import read, read_header
from twelvelead.privacy import (
    ATTACKERS,
    PROTOCOLS,
    Release,
    Sample,
    beat_units,
    compare,
    eer,
    estimate,
    nearest,
    rank_share,
    read_sex,
)
from twelvelead.signal import Recording
from twelvelead.validate import Bootstrap

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "ecg-id"
FEW = Bootstrap(200, 0, 0.95)


@pytest.fixture(scope="module")
def units():
    if not FOLDER.is_dir():
        pytest.skip("ECG-ID is not at ../shared/data/ecg-id")
    samples = []
    for path in sorted(FOLDER.glob("Person_*/rec_*.hea"), key=lambda p: int(p.stem.split("_")[1])):
        said = "\n".join(read_header(path).comments)
        day, month, year = map(int, re.search(r"date: (\d+)\.(\d+)\.(\d+)", said).groups())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # checksums of other samples, in a dozen headers
            whole = read(path)
        ecg = Recording(whole.signal[:1], ("I",), whole.fs, id=f"{path.parent.name}/{path.stem}")
        sex = re.search(r"Sex: (\w+)", said).group(1)
        samples.append(Sample(ecg, path.parent.name, date(year, month, day), sex=sex))
    return beat_units(Release(tuple(samples)))


def test_all_are_seen(units):
    assert len(units.subject_ids) == 90
    assert not units.unmeasured


@pytest.mark.parametrize(
    ("protocol", "attacker", "least", "most_wrong"),
    [
        ("cross_record", "template", 0.93, 0.06),
        ("cross_record", "lda_beats", 0.93, 0.06),
        ("subject_disjoint", "lda_beats", 0.93, 0.06),
    ],
)
def test_people_are_picked_out(units, protocol, attacker, least, most_wrong):
    compared = compare(ATTACKERS[attacker], PROTOCOLS[protocol].trials(units, seed=0), seed=0)
    assert estimate(rank_share(1), compared, bootstrap=FEW).value >= least
    assert estimate(eer, compared, bootstrap=FEW).value <= most_wrong


def test_another_day_is_harder_for_who_has_learnt_nothing(units):
    compared = compare(ATTACKERS["template"], PROTOCOLS["cross_day_everyone"].trials(units, seed=0), seed=0)
    found = estimate(rank_share(1), compared, bootstrap=FEW)
    assert found.n_people == 20
    assert found.upper < 0.93


def test_sex_of_single_beats_is_a_leak(units):
    found = read_sex(units, nearest, bootstrap=FEW)
    assert found.leaky.value >= 0.9
    assert found.sound.value < 0.65
    assert found.leakage.lower > 0.3
