"""Write the generated pages: catalogue, tables, command line, criteria. `--check` only compares."""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

from twelvelead.measure import CATALOGUE
from twelvelead.terms import CONTRACTS, LEADS, Measurement

HERE = Path(__file__).parent
COMMANDS = ("demo", "inspect", "plot", "measure", "convert", "studies", "study", "predict", "external", "validate",
            "compare", "consistency", "pretrain", "embed", "probe", "simulate", "doctor",
            "interpret", "verify", "benchmark", "instruct", "converse", "audit")  # fmt: skip


def catalogue() -> str:
    """Describe every measurement; those of one kind in all leads share a line."""
    lines = [
        "# The catalogue of measurements",
        "",
        f"{len(CATALOGUE)} measurements; each is a column of `features.parquet` (Float32, null where it can't be "
        "measured). Generated from `twelvelead.measure.CATALOGUE`.",
        "",
        "The error is this tool's own: mean ± standard deviation of measured minus annotated, one value per recording, "
        "in the Lobachevsky database (`make bench`). Of the windows of a long recording the median counts, unless "
        "another way is named.",
        "",
        "| column | unit | definition | reference range (adults) | error | windows | codes | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    seen = set()
    for m in CATALOGUE:
        name = _family(m)
        if name in seen:
            continue
        seen.add(name)
        cells = (f"`{name}`", m.unit, _definition(m), _range(m), _error(m), _pooled(m), _codes(m), _link(m.source))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"`<lead>` stands for {', '.join(LEADS)}, in lower case.", ""]
    return "\n".join(lines)


def _family(m: Measurement) -> str:
    return m.name if m.lead is None else m.name.replace(f"_{m.lead.lower()}_", "_<lead>_")


def _definition(m: Measurement) -> str:
    text = m.definition if m.lead is None else re.sub(rf"\b{m.lead}\b", "the lead", m.definition)
    return text.replace("|", "\\|")


def _range(m: Measurement) -> str:
    return f"{m.reference[0]:g} to {m.reference[1]:g} ({_link(m.reference_source)})" if m.reference else ""


def _error(m: Measurement) -> str:
    return f"{m.error[0]:.1f} ± {m.error[1]:.1f}".replace("-", "−") if m.error else ""


def _pooled(m: Measurement) -> str:
    return "" if m.pooled == "median" else m.pooled


def _codes(m: Measurement) -> str:
    return ", ".join(c for c in (f"LOINC {m.loinc}" if m.loinc else "", m.mdc) if c)


def _link(sources: str) -> str:
    dois = [source.removeprefix("doi:") for source in sources.split()]
    return ", ".join(f"[doi:{doi}](https://doi.org/{doi})" for doi in dois)


def tables() -> str:
    """Describe every table contract."""
    lines = [
        "# The tables",
        "",
        "Every table that leaves a room keeps its contract in `twelvelead.terms`. Generated.",
        "",
    ]
    for contract in CONTRACTS:
        key = ", ".join(f"`{k}`" for k in contract.key) or "none"
        lines += [f"## {contract.name}", "", f"Key: {key}.", "", "| column | type | unit | may be null | meaning |"]
        lines += ["|---|---|---|---|---|"]
        for c in contract.columns:
            dtype = getattr(c.dtype, "__name__", c.dtype)
            lines.append(f"| `{c.name}` | {dtype} | {c.unit} | {'yes' if c.nullable else ''} | {c.meaning} |")
        lines.append("")
    return "\n".join(lines)


def commands() -> str:
    """Print the help of every command."""
    from cyclopts import App
    from rich.console import Console

    from twelvelead.app.cli import app
    from twelvelead.app.shell import PROCESSES

    lines = ["# The command line", "", "Generated from `twelvelead --help`.", ""]
    for name in ("", *COMMANDS):
        text = io.StringIO()
        console = Console(file=text, width=100, color_system=None, legacy_windows=False)
        with redirect_stdout(text):
            App.help_print(app, [name] if name else [], console=console)
        # The default number of workers is the machine's.
        help_text = text.getvalue().replace(f"[default: {PROCESSES}]", "[default: all processors]")
        lines += [f"## twelvelead {name}".rstrip(), "", "```", help_text.strip(), "```", ""]
    return "\n".join(lines)


def criteria() -> str:
    """Describe every finding of the published packs, what they leave out, and the derived numbers they use."""
    from twelvelead.interpret import beat_to_beat, waves
    from twelvelead.interpret.packs import DEFAULT
    from twelvelead.interpret.packs.left_out import LEFT_OUT, READINGS

    lines = ["# Criteria", "", "Generated from `twelvelead.interpret.packs`: `aha_accf_hrs_2009` and `udmi4`, the "
             "packs by which a recording is interpreted unless another is named. A finding holds if its criteria do; "
             "it is indeterminate where a measurement is missing, where sex or age is needed and not known, and in "
             "what the last column names. How well they do: [accuracy](accuracy.md).", "",
             "| finding | label | criteria | source | not judged in |", "|---|---|---|---|---|"]  # fmt: skip
    labels = {finding.key: finding.label.lower() for finding in DEFAULT.findings}
    for finding in DEFAULT.findings:
        found = _criteria_in(finding.test, labels)
        texts = [text for text, _ in found]
        sources = " ".join(dict.fromkeys([finding.source, *(source for _, source in found if source)]))
        unless = ", ".join(labels[key] for key in finding.unless)
        if finding.key == "normal_ecg":
            texts = ["sinus rhythm, and none of the other findings but those that a normal ECG may have"]
        lines.append(f"| `{finding.key}` | {finding.label} | {'; '.join(texts)} | {_link(sources)} | {unless} |")
    for title, notes in (("Left out", LEFT_OUT), ("How words without numbers are read", READINGS)):
        lines += ["", f"## {title}", "", "| criterion | source | |", "|---|---|---|"]
        lines += [f"| {note.criterion} | {_link(note.source)} | {note.why} |" for note in notes]
    lines += ["", "## Numbers made for criteria", "", "Beside the [catalogue](../catalogue.md).", "",
              "| number | unit | definition | source |", "|---|---|---|---|"]  # fmt: skip
    for d in (*beat_to_beat.DERIVED, *waves.DERIVED):
        lines.append(f"| `{d.name}` | {d.unit} | {d.definition} | {_link(d.source)} |")
    return "\n".join([*lines, ""])


def _criteria_in(test: object, labels: dict[str, str]) -> list[tuple[str, str]]:
    """Give text and source of each criterion below a test, and the label of each finding that it refers to."""
    from twelvelead.interpret.criteria import Criterion, Has

    match test:
        case Criterion():
            return [(test.text, test.source)]
        case Has():
            return [(labels[test.finding], "")]
    parts = getattr(test, "parts", ()) or ((test.part,) if hasattr(test, "part") else ())
    return [found for part in parts for found in _criteria_in(part, labels)]


PAGES = {
    "catalogue.md": catalogue,
    "tables.md": tables,
    "command-line.md": commands,
    "interpretation/criteria.md": criteria,
}


def main(argv: list[str]) -> int:
    """Write the pages, or with --check say which are out of date."""
    stale = [name for name, page in PAGES.items() if not _same(HERE / name, page())]
    if "--check" in argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs`\n")
        return 1 if stale else 0
    for name, page in PAGES.items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(page(), encoding="utf-8")
    return 0


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
