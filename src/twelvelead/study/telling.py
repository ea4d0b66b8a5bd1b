"""Language models on recordings for the command line: one ECG told by a server, and a set of texts scored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twelvelead.interpret.case import Case, examine
from twelvelead.interpret.language_model import Generate, Mode, Told, tell_by_model
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.text_scores import add_counts, count_with_controls, figures
from twelvelead.io import Found, find_recordings, read_json
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.report import Paper, draw_ecg, print_drawing
from twelvelead.study.instructing import read_beginning
from twelvelead.study.people import people_of
from twelvelead.study.progress import Progress, silent
from twelvelead.terms import Error, InputError

DPI = 100.0


def tell_file(  # noqa: PLR0913 - one for each flag of the command
    path: Path,
    model: Generate,
    *,
    mode: Mode,
    repairs: int = 2,
    shown: bool = False,
    age_years: float | None = None,
    sex: Any = None,  # noqa: ANN401 - female, male or None, as Case has it
    declared: Declaration = UNDECLARED,
) -> tuple[Case, Told]:
    """Have a language model tell one recording, and check it.

    Parameters
    ----------
    path : Path
        The recording.
    model : Generate
        A server or a checkpoint.
    mode, repairs
        As in `tell_by_model`.
    shown : bool
        Whether the model is sent a picture of the ECG.
    age_years, sex
        Of the person.
    declared : Declaration
        What the file doesn't say.

    Returns
    -------
    case : Case
        The recording, measured.
    told : Told
        What came of it.

    Raises
    ------
    InputError, Unmeasurable
        If the recording can't be read or measured, or, but in the mode verified, if the model gives no answer.
    """
    recording = read_beginning(Found(path.stem, path, declared.entry), declared)
    case = examine(recording, age_years=age_years, sex=sex)
    image = print_drawing(draw_ecg(recording, paper=Paper(layout="3x4+1")), ".png", dpi=DPI) if shown else None
    return case, tell_by_model(model, case, pack=DEFAULT, mode=mode, repairs=repairs, image=image)


def read_texts(path: Path) -> dict[str, str]:
    """Read texts by recording.

    Parameters
    ----------
    path : Path
        JSON: an object of texts by recording id, or a list of objects with `recording_id` (or `id`) and `text`.

    Raises
    ------
    InputError
        If it is neither, or a recording comes twice.
    """
    content = read_json(path)
    if isinstance(content, dict) and all(isinstance(text, str) for text in content.values()):
        return content
    try:
        pairs = [(str(one.get("recording_id", one.get("id"))), str(one["text"])) for one in content]
    except (TypeError, AttributeError, KeyError) as error:
        msg = "texts must be an object by recording id, or a list with recording_id and text; got another form in "
        msg += f"{path.name!r}. Write it so."
        raise InputError(msg) from error
    texts = dict(pairs)
    if len(texts) < len(pairs):
        msg = (
            f"a recording must have one text; got {len(pairs)} texts of {len(texts)} recordings. Leave out the others."
        )
        raise InputError(msg)
    return texts


def score_files(
    texts: dict[str, str],
    paths: Sequence[Path],
    *,
    demographics: Path | None = None,
    seed: int = 0,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Score texts of recordings, with controls.

    Parameters
    ----------
    texts : dict of str to str
        By recording id.
    paths : sequence of Path
        Where the recordings are.
    demographics : Path or None
        Age and sex, as `people_of` takes them.
    seed : int
        Of the exchange of recordings.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told how far the measuring has come.

    Returns
    -------
    dict
        `figures` of all texts and of both controls, `by_recording`, `failures` by recording (text without a
        recording that could be measured), `n`.

    Raises
    ------
    InputError
        If no text is left.
    """
    found = [one for one in find_recordings(paths) if one.recording_id in texts]
    people = people_of(found, paths, demographics, declared)
    cases: dict[str, Case] = {}
    failures = dict.fromkeys(sorted(texts.keys() - {one.recording_id for one in found}), "its recording is not there")
    for k, (one, person) in enumerate(zip(found, people, strict=True), start=1):
        try:
            recording = read_beginning(one, declared)
            cases[one.recording_id] = examine(recording, age_years=person.age_years, sex=person.sex)
        except (Error, OSError) as error:
            failures[one.recording_id] = str(error)
        progress("measuring", k, len(found))
    left = {name: text for name, text in texts.items() if name in cases}
    counts = count_with_controls(left, cases, pack=DEFAULT, seed=seed)
    return {
        "n": len(left), "pack": DEFAULT.key, "seed": seed,
        "figures": {name: figures(add_counts(of.values())) for name, of in counts.items()},
        "by_recording": {name: figures(one) for name, one in counts["texts"].items()},
        "failures": failures,
    }  # fmt: skip
