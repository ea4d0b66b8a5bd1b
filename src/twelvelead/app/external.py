"""The command for external validation."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from twelvelead.app.shell import PARTLY, PROCESSES, Out, Workers, app
from twelvelead.app.show import Display


@app.command
def external(  # noqa: PLR0913 - one for each flag
    study_dir: Path,
    *,
    data: Annotated[Path, Parameter(help="Folder of the other database.")],
    out: Out = Path("out/external"),
    kind: str | None = None,
    rule: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    declaration: Path | None = None,
    embeddings: Path | None = None,
    recalibrate_on: float = 0.5,
    workers: Workers = PROCESSES,
) -> int:
    """External validation: a finished study's models, unchanged, on another database, and what differs there.

    Parameters
    ----------
    study_dir
        Folder of the study.
    kind
        Which database it is, such as ecg_view_ii or tables; recognised by default.
    rule
        What is different in the rules of the outcomes there, as in link=time window_h=-2160,2160. By default what the
        study declares for its own external database of that kind.
    declaration
        The same as a TOML file with a table [external]: kind and rule.
    embeddings
        Where the study's models know embeddings: the table of the recordings there, by the same encoder; by default
        embeddings.parquet in its folder.
    recalibrate_on
        Share of the patients there that recalibration is fitted on; the others judge it.
    """
    from twelvelead.study.externally import choose_use, validate_externally
    from twelvelead.study.finished import open_study

    said_kind, said_rule = _read_fragment(declaration) if declaration is not None else (None, None)
    given = read_rule(rule) if rule is not None else said_rule
    use = choose_use(open_study(study_dir).study, data, kind=kind or said_kind, rule=given)
    with Display() as display:
        found = validate_externally(
            study_dir, data=data, out=out, use=use, embeddings=embeddings, share=recalibrate_on, workers=workers,
            progress=display.progress,
        )  # fmt: skip
    display.performance(found.tables["performance"])
    for target in found.unknown:
        display.note(f"{target}: nothing is known of it in {data}.")
    for code in dict.fromkeys(objection.code for objection in found.objections):
        same = [objection for objection in found.objections if objection.code == code]
        display.note(f"{same[0].severity} {code} (TRIPOD+AI {same[0].item}): {same[0].message}")
        if len(same) > 1:
            display.note(f"  … and {len(same) - 1} more of {code}: {out / 'objections.parquet'}")
    display.note(f"The report is {out / 'report.html'}.")
    return PARTLY if found.unknown else display.failures(found.failures, partly=PARTLY)


def read_rule(words: list[str]) -> dict[str, Any]:
    """Read fields of an outcome's rule from the command line.

    Raises
    ------
    InputError
        If a word is no `name=value`.

    Examples
    --------
    >>> read_rule(["link=time", "window_h=-2160,2160"])
    {'link': 'time', 'window_h': [-2160, 2160]}
    """
    from twelvelead.terms import InputError

    rule: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not (name and sign and value):
            msg = f"--rule must be name=value; got {word!r}. Write, say, --rule link=time window_h=-2160,2160."
            raise InputError(msg)
        rule[name] = _read_value(value)
    return rule


def _read_value(text: str) -> Any:  # noqa: ANN401 - whatever a rule holds
    import tomllib

    for form in (text, f"[{text}]" if "," in text else text):
        try:
            return tomllib.loads(f"value = {form}")["value"]
        except tomllib.TOMLDecodeError:
            continue
    return text.split(",") if "," in text else text


def _read_fragment(path: Path) -> tuple[str | None, dict[str, Any] | None]:
    """Read kind and rule from the table [external] of a TOML file.

    Raises
    ------
    InputError
        If the file is no TOML, or has no such table.
    """
    import tomllib

    from twelvelead.terms import InputError

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("external")
    except tomllib.TOMLDecodeError as error:
        msg = f"--declaration must be TOML; got {error} in {str(path)!r}. Mend the line."
        raise InputError(msg) from error
    if not isinstance(table, dict):
        msg = f"--declaration must have a table [external]; got none in {str(path)!r}. Add it."
        raise InputError(msg)
    return table.get("kind"), table.get("rule")
