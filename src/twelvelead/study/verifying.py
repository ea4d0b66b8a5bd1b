"""A text checked against a recording for the command line: two files in, claims out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from twelvelead.interpret.case import examine
from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.verify import CONTRADICTED, Checked, verify
from twelvelead.interpret.verify_scores import Scores, score
from twelvelead.io import open_declared
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.terms import InputError

LONGEST = 1_000_000
"""A text of more characters is none that somebody wrote of one ECG."""


@dataclass(frozen=True)
class Verified:
    """A text's claims, and what they come to.

    Parameters
    ----------
    recording_id : str
        What the text was checked against.
    pack : str
        Criteria by which diagnoses were judged.
    claims : tuple of Checked
        In the text's order.
    scores : Scores
        How true the text is.
    """

    recording_id: str
    pack: str
    claims: tuple[Checked, ...]
    scores: Scores

    @property
    def contradicted(self) -> tuple[Checked, ...]:
        """What the recording, or the text itself, contradicts."""
        return tuple(claim for claim in self.claims if claim.standing is CONTRADICTED)


def read_text(path: Path) -> str:
    """Read a text of UTF-8.

    Raises
    ------
    InputError
        If it is not there, not UTF-8, or too long.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"a text must be of UTF-8; got another byte at {error.start} in {path.name}. Save it as UTF-8."
        raise InputError(msg) from error
    except OSError as error:
        msg = f"the text must be a file that can be read; got {str(path)!r} ({error.strerror}). Check the path."
        raise InputError(msg) from error
    return text


def verify_file(
    text: str,
    recording: Path,
    *,
    age_years: float | None = None,
    sex: Literal["female", "male"] | None = None,
    declared: Declaration = UNDECLARED,
) -> Verified:
    """Check what a text says of a recording.

    Parameters
    ----------
    text : str
        A report in English.
    recording : Path
        The ECG.
    age_years : float or None
        Of the person; what the file says of it is not used.
    sex : {"female", "male"} or None
        The same.
    declared : Declaration
        What the file does not say of itself.

    Raises
    ------
    InputError
        If the recording can't be read, or the text is empty or too long.
    Unmeasurable
        If the recording can't be measured.
    """
    if not text.strip() or len(text) > LONGEST:
        msg = f"a text must have 1 to {LONGEST} characters; got {len(text)}. Give the report of one ECG."
        raise InputError(msg)
    case = examine(open_declared(recording, declared).read(), age_years=age_years, sex=sex)
    found = judge(case, DEFAULT)
    claims = tuple(verify(text, case, found))
    return Verified(case.recording.id, DEFAULT.key, claims, score(claims, case, [(DEFAULT, found)]))
