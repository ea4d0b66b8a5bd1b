"""Write the generated pages: the catalogue of measurements, the tables, the command line. `--check` only compares."""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

from twelvelead.measure import CATALOGUE
from twelvelead.terms import CONTRACTS, LEADS, Measurement

HERE = Path(__file__).parent
COMMANDS = ("demo", "inspect", "plot", "measure", "convert", "studies", "study", "predict", "external", "validate",
            "compare", "consistency", "pretrain", "embed", "probe", "simulate", "doctor")  # fmt: skip


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


PAGES = {"catalogue.md": catalogue, "tables.md": tables, "command-line.md": commands}


def main(argv: list[str]) -> int:
    """Write the pages, or with --check say which are out of date."""
    stale = [name for name, page in PAGES.items() if not _same(HERE / name, page())]
    if "--check" in argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs`\n")
        return 1 if stale else 0
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
    return 0


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
