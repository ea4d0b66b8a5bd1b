"""Commands for language models: have one tell an ECG and check it, score texts, train a small model of our own."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from twelvelead.app.recordings import declare
from twelvelead.app.shell import BAD_INPUT, OK, PARTLY, Fs, Leads, Out, Units, app
from twelvelead.app.show import Display, align

converse = App(name="converse", help="Language models: have one tell an ECG and check it, score texts, train one.")
app.command(converse)


@converse.command
def speak(  # noqa: PLR0913 - one for each flag
    recording: Path,
    *,
    language_model: str,
    mode: Literal["free", "measured", "verified"] = "verified",
    model: str | None = None,
    picture: bool = False,
    repairs: int = 2,
    allow_remote: bool = False,
    timeout: float = 120.0,
    age: float | None = None,
    sex: Literal["female", "male"] | None = None,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the flag's name
    entry: str | None = None,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Have a language model tell an ECG, and check every claim of it against what is measured.

    Parameters
    ----------
    recording
        The ECG.
    language_model
        A server with OpenAI's interface, as in http://127.0.0.1:8000/v1; or the folder of a checkpoint, which the
        package transformers runs.
    mode
        free: it is only asked. measured: it is told the measurements. verified: it is told besides what of its text is
        wrong, and if it does not mend that, a text made from the measurements takes its place.
    model
        By the server's name, if it has several.
    picture
        Send a picture of the ECG along.
    repairs
        How often it may mend its text.
    allow_remote
        The server may be another machine: then the measurements, and the picture, leave this one.
    timeout
        Seconds to wait for an answer.
    """
    from twelvelead.study.language_checkpoint import LanguageCheckpoint
    from twelvelead.study.language_server import LanguageServer
    from twelvelead.study.telling import tell_file
    from twelvelead.terms import RESEARCH_ONLY

    speaker: LanguageServer | LanguageCheckpoint
    if "://" in language_model:
        speaker = LanguageServer(language_model, model, allow_remote=allow_remote, timeout_s=timeout)
    else:
        speaker = LanguageCheckpoint(language_model)
    _, told = tell_file(
        recording, speaker, mode=mode, repairs=repairs, shown=picture, age_years=age, sex=sex,
        declared=declare(fs, leads, units, entry),
    )  # fmt: skip
    if format == "json":
        sys.stdout.write(json.dumps({**asdict(told), "notice": RESEARCH_ONLY}, indent=2, ensure_ascii=False) + "\n")
        return OK
    wrong = [f"contradicted: {one.said.strip()!r}: {one.why or one.measured}" for one in told.checked
             if one.standing.value == "contradicted"]  # fmt: skip
    sys.stdout.write("\n".join([told.text, "", *told.happened, *wrong, RESEARCH_ONLY, ""]))
    return OK


@converse.command
def score(
    texts: Path,
    *paths: Path,
    out: Annotated[Path | None, Parameter(help="All figures as JSON.")] = None,
    demographics: Path | None = None,
    seed: int = 0,
) -> int:
    """Score texts about ECGs without a judge, beside the same texts told of other ECGs and one text told of all.

    Parameters
    ----------
    texts
        JSON: an object of texts by recording id, or a list of objects with recording_id and text.
    paths
        The recordings, or folders that are searched.
    demographics
        Table with recording_id, age_years and sex; PTB-XL's own is understood.
    seed
        Of the exchange of recordings.
    """
    from twelvelead.io import write_json
    from twelvelead.study.telling import read_texts, score_files

    with Display() as display:
        scored = score_files(read_texts(texts), paths, demographics=demographics, seed=seed, progress=display.progress)
    if out is not None:
        write_json(scored, out)
    columns = scored["figures"]
    lines = [("figure", *columns)]
    for name in columns["texts"]:
        values = (columns[column][name] for column in columns)
        lines.append((name, *("" if value is None else f"{value:.3f}" for value in values)))
    sys.stdout.write(align(lines))
    for name, why in scored["failures"].items():
        display.note(f"  {name}: {why}")
    return PARTLY if scored["failures"] else OK


@converse.command
def marks(
    judged: Path,
    *,
    compat: Literal["gem", "gem-mean", "ecg-r1"] | None = None,
    strict: bool = False,
) -> int:
    """Add up a judge's marks as GEM's or ECG-R1's evaluation does, or so that they mean something.

    Parameters
    ----------
    judged
        JSON: by recording and by what was judged, the list of marks.
    compat
        Whose rules, fault for fault.
    strict
        Refuse marks out of range, and count half right as half; the default.
    """
    from twelvelead.interpret.gem_scores import add_marks
    from twelvelead.io import read_json
    from twelvelead.terms import InputError

    if strict and compat:
        msg = f"the rules must be strict or compatible; got --strict and --compat {compat}. Leave one out."
        raise InputError(msg)
    table = add_marks(read_json(judged), rules=compat or "strict")
    sys.stdout.write(align([("judged", "mean"), *((name, f"{value:.2f}") for name, value in table.items())]))
    return OK


@converse.command
def train(  # noqa: PLR0913 - one for each flag
    data: Path,
    *,
    recordings: Path,
    out: Out,
    encoder: Path | None = None,
    steps: int = 200,
    batch: int = 4,
    lr: float = 1e-3,
    seed: int = 0,
) -> int:
    """Train a small model of GEM's shape on instruction data, on a processor: a proof of the path, not a physician.

    Parameters
    ----------
    data
        Folder that `twelvelead instruct` made.
    recordings
        Folder that the data were made of.
    encoder
        *.safetensors of `twelvelead pretrain`; one that was never trained unless given.
    steps
        How often the model is changed.
    batch
        Examples per step.
    lr
        Highest learning rate.
    seed
        Of everything random.
    """
    from twelvelead.study.conversing import train_dual

    with Display() as display:
        losses = train_dual(
            data, recordings, out=out, steps=steps, batch=batch, lr=lr, seed=seed, encoder=encoder,
            tell=lambda step, _: display.progress("training", step + 1, steps),
        )  # fmt: skip
    display.note(f"loss {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the last: {out}")
    return OK


@converse.command
def generate(
    *paths: Path,
    model: Path,
    out: Annotated[Path, Parameter(help="Texts by recording id, as JSON.")],
    most: int = 2000,
) -> int:
    """Have a model that `converse train` made speak of recordings; check what it says with `converse score`.

    Parameters
    ----------
    paths
        Recordings, or folders that are searched.
    model
        *.safetensors.
    most
        Tokens after which a text is cut off.
    """
    from twelvelead.io import write_json
    from twelvelead.study.conversing import speak_of

    texts = speak_of(model, paths, most=most)
    write_json(texts, out)
    return OK if texts else BAD_INPUT
