"""The command that says what a release of ECGs risks."""

import sys
from pathlib import Path

from twelvelead.app.recordings import declare
from twelvelead.app.shell import OK, PARTLY, Fs, Leads, Out, Units, app
from twelvelead.app.show import Display


@app.command
def audit(  # noqa: PLR0913 - one for each flag
    *paths: Path,
    out: Out,
    subjects: Path | None = None,
    attackers: str | None = None,
    quick: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Say who could be picked out of a release of ECGs, and what would lower that.

    Parameters
    ----------
    paths
        Recordings, or folders that are searched for readable ones.
    subjects
        Table of whose they are: patient_id; recording_id or path; recorded_at, age_years, sex and device if known.
        Without it PTB-XL's own table is used, or what the files say; the person is then the folder of the recording.
    attackers
        Who attacks, separated by commas; otherwise all that need no extra.
    quick
        Try one what-if of each kind only, and draw 200 resamples.
    resamples
        Bootstrap resamples of people.
    seed
        Of all that is drawn.
    """
    from twelvelead.study.auditing import Choices, audit_files
    from twelvelead.terms import RESEARCH_ONLY

    chosen = tuple(attackers.split(",")) if attackers else ()
    with Display() as display:
        finished = audit_files(
            paths, out=out, subjects=subjects, declared=declare(fs, leads, units), progress=display.progress,
            choices=Choices(attackers=chosen, quick=quick, n_resamples=resamples, seed=seed),
        )  # fmt: skip
    verdict = finished.verdict
    said = (verdict.headline, *verdict.more, *verdict.lower, f"The report is {out / 'report.html'}.", RESEARCH_ONLY)
    sys.stdout.write("\n".join(said) + "\n")
    display.failures(finished.failures, partly=PARTLY)
    return PARTLY if finished.failures.height or verdict.found is None else OK
