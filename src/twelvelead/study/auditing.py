"""Audit a release for the command line: recordings and people in, a folder with a report out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io import find_recordings, write_json, write_table, write_text
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.privacy import ATTACKERS, Release
from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.audit import Audited, audit
from twelvelead.privacy.torch_attackers import TORCH_ATTACKERS
from twelvelead.privacy.verdict import Verdict, conclude
from twelvelead.privacy.what_if import quick as only_some
from twelvelead.privacy.what_if import what_ifs
from twelvelead.report.audit_report import Audit, audit_report
from twelvelead.signal import assess
from twelvelead.study.audited_people import LONGEST_S, Gathered, gather, known_people
from twelvelead.study.progress import Progress, silent
from twelvelead.study.versions import versions
from twelvelead.terms import FAILURES, InputError, Reason
from twelvelead.validate import Bootstrap

LEVEL = 0.95
DECIMALS = 10
"""The last bits of a sum depend on the machine; the same input and seed must give the same bytes."""
N_QUICK = 200

EVERYBODY = ATTACKERS | TORCH_ATTACKERS
"""All attackers, also those that need an extra."""


@dataclass(frozen=True)
class Choices:
    """What an audit was told.

    Parameters
    ----------
    attackers : tuple of str
        Keys of `EVERYBODY`; empty: all that need no extra.
    quick : bool
        Whether only one what-if of each kind is tried, and 200 resamples are drawn.
    n_resamples, seed : int
        Of people.
    """

    attackers: tuple[str, ...] = ()
    quick: bool = False
    n_resamples: int = 1000
    seed: int = 0

    @property
    def bootstrap(self) -> Bootstrap:
        """How people are drawn for every figure."""
        return Bootstrap(min(self.n_resamples, N_QUICK) if self.quick else self.n_resamples, self.seed, LEVEL)


@dataclass(frozen=True, eq=False)
class Finished:
    """An audit that is written: what was found, what it comes to, and the recordings that took no part."""

    audited: Audited
    verdict: Verdict
    failures: pl.DataFrame


def audit_files(
    paths: Sequence[Path],
    *,
    out: Path,
    subjects: Path | None = None,
    choices: Choices = Choices(),
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
) -> Finished:
    """Audit the recordings found under `paths`, and write tables, JSON and report.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    out : Path
        Folder of the results: a CSV for each table of `terms.audits`, failures.csv, audit.json, and last report.html.
        Nothing is written before everything is computed, and each file as a whole.
    subjects : Path or None
        A table of people, see `read_subjects`. None: the database's own, or what the files say.
    choices : Choices
        Attackers, resamples, seed.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told how far it has come.

    Raises
    ------
    InputError
        If nothing can be read, no person is known, or an attacker is not.
    MissingExtra
        If an attacker needs an extra that is not installed.
    """
    attackers = choose_attackers(choices.attackers)
    known = known_people(paths, subjects)
    gathered = gather(find_recordings(paths), known, declared=declared, progress=progress)
    tried = what_ifs(seed=choices.seed, n_people=len(gathered.release.subject_ids))
    tried = only_some(tried) if choices.quick else tried
    audited = audit(
        gathered.release, attackers=attackers, what_ifs=tried, bootstrap=choices.bootstrap, progress=progress
    )
    others = {key: a.title for key, a in EVERYBODY.items() if a not in attackers}
    verdict = conclude(audited, other_attackers=others)
    failures = pl.concat([gathered.failures, _unmeasured(audited, gathered.release)])
    finished = Finished(audited, verdict, failures)
    _write(finished, gathered, choices, out=out)
    return finished


def choose_attackers(keys: Sequence[str]) -> tuple[Attacker, ...]:
    """Return the attackers by their keys; without any, all that need no extra.

    Raises
    ------
    InputError
        If one is not known.
    """
    unknown = [key for key in keys if key not in EVERYBODY]
    if unknown:
        msg = f"attackers must be of {', '.join(EVERYBODY)}; got {unknown[0]!r}. Choose among those."
        raise InputError(msg)
    return tuple(a for key, a in EVERYBODY.items() if (key in keys if keys else a.extra is None))


def _unmeasured(audited: Audited, release: Release) -> pl.DataFrame:
    recordings = {sample.recording.id: sample.recording for sample in release.samples}
    rows = []
    for name, why in audited.facts.unmeasured:
        refusal = assess(recordings[name]).refusal
        reason = Reason.NO_BEATS if refusal is None else refusal.reason
        rows.append({"recording_id": name, "reason": reason.value, "message": why})
    return FAILURES.select(rows)


def _write(finished: Finished, gathered: Gathered, choices: Choices, *, out: Path) -> None:
    tables = {name: table.with_columns(pl.selectors.float().round(DECIMALS))
              for name, table in finished.audited.tables.items()}  # fmt: skip
    page = audit_report(
        Audit(
            tables=tables,
            facts=finished.audited.facts,
            strongest=finished.audited.strongest,
            verdict=finished.verdict,
            failures=finished.failures,
            provenance=_provenance(gathered, choices),
            notes=_notes(gathered),
            simulated=gathered.known.simulated,
        )
    )
    for name, table in (tables | {"failures": finished.failures}).items():
        write_table(table, out / f"{name}.csv")
    write_json(_record(finished, gathered, choices, tables), out / "audit.json")
    write_text(page, out / "report.html")


def _provenance(gathered: Gathered, choices: Choices) -> list[tuple[str, str]]:
    given = [("people known from", gathered.known.source)]
    given += [("resamples of people", str(choices.bootstrap.n_resamples)), ("seed", str(choices.seed)),
              ("quick", "yes" if choices.quick else "no")]  # fmt: skip
    return given + list(versions().items())


def _notes(gathered: Gathered) -> tuple[str, ...]:
    if not gathered.n_cut:
        return ()
    return (f"Of {gathered.n_cut} recordings only the first {LONGEST_S:g} s were audited.",)


def _record(
    finished: Finished, gathered: Gathered, choices: Choices, tables: Mapping[str, pl.DataFrame]
) -> dict[str, Any]:
    """Give what audit.json holds."""
    return {
        "verdict": asdict(finished.verdict),
        "facts": asdict(finished.audited.facts),
        "strongest": finished.audited.strongest,
        "simulated": gathered.known.simulated,
        "people_known_from": gathered.known.source,
        "choices": asdict(choices),
        "versions": versions(),
        "tables": {name: table.to_dicts() for name, table in tables.items()},
    }
