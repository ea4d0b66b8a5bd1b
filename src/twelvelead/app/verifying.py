"""The command that checks what a text says of an ECG."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from twelvelead.app.recordings import declare
from twelvelead.app.shell import OK, Fs, Leads, Units, app

if TYPE_CHECKING:
    from twelvelead.interpret.verify import Checked
    from twelvelead.study.verifying import Verified

CONTRADICTED = 1
"""Exit status of --fail, as of programs that compare two things."""


@app.command
def verify(  # noqa: PLR0913 - one for each flag
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    recording: Path,
    *,
    age: float | None = None,
    sex: Literal["female", "male"] | None = None,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the flag's name
    fail: bool = False,
    entry: str | None = None,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Check what a text says of an ECG against what is measured in it, claim by claim.

    Parameters
    ----------
    text
        A file with a report in English, of a person or a language model; - for standard input.
    recording
        The ECG.
    age
        Of the person, in years; some limits depend on it.
    sex
        Of the person.
    format
        For people or for programs.
    fail
        Leave with exit status 1 where something is contradicted.
    entry
        Which recording of a file that holds several.
    """
    from twelvelead.study.verifying import read_text, verify_file

    words = sys.stdin.read() if text == "-" else read_text(Path(text))
    declared = declare(fs, leads, units, entry)
    verified = verify_file(words, recording, age_years=age, sex=sex, declared=declared)
    sys.stdout.write(_as_json(verified) if format == "json" else _as_text(verified))
    return CONTRADICTED if fail and verified.contradicted else OK


def _as_json(verified: "Verified") -> str:
    from twelvelead.terms import RESEARCH_ONLY

    found = {
        "recording": verified.recording_id, "pack": verified.pack, "n_contradicted": len(verified.contradicted),
        "scores": asdict(verified.scores),
        "claims": [asdict(claim) for claim in verified.claims], "notice": RESEARCH_ONLY,
    }  # fmt: skip
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _as_text(verified: "Verified") -> str:
    from twelvelead.terms import RESEARCH_ONLY

    lines = [f"{claim.standing.value:13} {_in_words(claim)}" for claim in verified.claims]
    n = len(verified.contradicted)
    counts = {
        s: sum(c.standing.value == s for c in verified.claims) for s in ("supported", "unverifiable", "unmeasured")
    }
    said = f"{n} CONTRADICTED" if n else "nothing contradicted"
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    scores = "; ".join(
        f"{name.replace('_', ' ')} {value:.2f}" for name, value in asdict(verified.scores).items()
        if isinstance(value, float)
    )  # fmt: skip
    lines += [
        "",
        f"{len(verified.claims)} claim(s) about {verified.recording_id}: {said}, {told}",
        scores,
        RESEARCH_ONLY,
        "",
    ]
    return "\n".join(lines)


def _in_words(claim: "Checked") -> str:
    denied = "not: " if claim.claim is not None and claim.claim.negated else ""
    said = " ".join(claim.said.split())
    parts = [f"{claim.start}–{claim.end} {denied}“{said}”"]
    if claim.measured:
        parts.append(f"measured {claim.measured}")
    if claim.tolerance and claim.kind == "number":
        parts.append(f"within {claim.tolerance}")
    if claim.why:
        parts.append(claim.why)
    return "; ".join(parts)
