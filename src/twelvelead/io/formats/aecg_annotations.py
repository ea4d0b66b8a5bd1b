"""What a device says in an annotated ECG of HL7."""

from collections.abc import Iterator
from statistics import median
from xml.etree.ElementTree import Element

from twelvelead.io.formats.machine import machine_of
from twelvelead.io.formats.metadata import Machine
from twelvelead.io.formats.xml import number_in

# Reference identifiers of IEEE 11073-10102, in upper case and without the _GL that marks some as global.
_MEASUREMENTS = {
    "MDC_ECG_HEART_RATE": "heart_rate_bpm",
    "MDC_ECG_HEART_RATE_VENT": "heart_rate_bpm",
    "MDC_ECG_ATRIAL_RATE": "atrial_rate_bpm",
    "MDC_ECG_HEART_RATE_ATRIAL": "atrial_rate_bpm",
    "MDC_ECG_TIME_PD_RR": "rr_mean_ms",
    "MDC_ECG_TIME_PD_P": "p_duration_ms",
    "MDC_ECG_TIME_PD_PR": "pr_interval_ms",
    "MDC_ECG_TIME_PD_PQ": "pr_interval_ms",
    "MDC_ECG_TIME_PD_QRS": "qrs_duration_ms",
    "MDC_ECG_TIME_PD_QT": "qt_interval_ms",
    "MDC_ECG_TIME_PD_QTC": "qtc_ms",
    "MDC_ECG_TIME_PD_QTCB": "qtc_bazett_ms",
    "MDC_ECG_TIME_PD_QTCF": "qtc_fridericia_ms",
    "MDC_ECG_ANGLE_P_FRONT": "p_axis_deg",
    "MDC_ECG_ANGLE_QRS_FRONT": "qrs_axis_deg",
    "MDC_ECG_ANGLE_T_FRONT": "t_axis_deg",
}
_MINUTE = ("bpm", "/min", "1/min", "min-1", "{beats}/min", "{h.b.}/min")
_UNITS = {
    "_bpm": dict.fromkeys(_MINUTE, 1.0),
    "_ms": {"ms": 1.0, "s": 1000.0, "us": 1e-3},
    "_deg": {"deg": 1.0},
}
_SAID = {"MDC_ECG_INTERPRETATION_STATEMENT", "MDC_ECG_INTERPRETATION_SUMMARY", "MDC_ECG_RHY"}


def read_machine(series: Element, beats: list[Element], *, people: list[str]) -> Machine:
    """Read what devices have annotated.

    Parameters
    ----------
    series : Element
        The rhythm.
    beats : list of Element
        Series of representative beats.
    people : list of str
        Names that statements must not have.

    Returns
    -------
    Machine
        What is said of the recording or of its representative beat; where a measurement is made only beat by beat, the
        median of the beats. What is said of a single lead, or by a person, is left out.
    """
    whole: dict[str, float | None] = {}
    by_beat: dict[str, list[float]] = {}
    statements: list[str] = []
    sets = [found for one in (series, *beats) for found in one.findall("subjectOf/annotationSet") if _is_device(found)]
    for found in sets:
        for annotation, in_beat in _annotations(found, in_beat=False):
            code, value = _code(annotation), annotation.find("value")
            if value is None:
                continue
            if code in _SAID:
                statements.append(_words(value))
            name = _MEASUREMENTS.get(code.removesuffix("_GL"))
            number = None if name is None else _quantity(value, name)
            if name is not None and number is not None and not _of_one_lead(annotation):
                if in_beat:
                    by_beat.setdefault(name, []).append(number)
                else:
                    whole.setdefault(name, number)
    values = {name: median(numbers) for name, numbers in by_beat.items()} | whole
    return machine_of(values, dict.fromkeys(statements), people=people)


def _code(element: Element) -> str:
    code = element.find("code")
    return "" if code is None else code.get("code", "").strip().upper()


def _is_device(found: Element) -> bool:
    author = found.find("author")
    return author is None or next(author.iter("assignedPerson"), None) is None


def _annotations(element: Element, *, in_beat: bool) -> Iterator[tuple[Element, bool]]:
    """Walk through annotations, and say of each whether it belongs to a single beat."""
    for annotation in element.findall("component/annotation"):
        yield annotation, in_beat
        yield from _annotations(annotation, in_beat=in_beat or _code(annotation) == "MDC_ECG_BEAT")


def _of_one_lead(annotation: Element) -> bool:
    boundaries = annotation.findall("support/supportingROI/component/boundary")
    return any("_LEAD_" in _code(boundary) for boundary in boundaries)


def _quantity(value: Element, name: str) -> float | None:
    """Read a number in the unit that its name has; None without a unit."""
    end = next(end for end in _UNITS if name.endswith(end))
    number, factor = number_in(value.get("value")), _UNITS[end].get(value.get("unit", "").strip())
    return None if number is None or factor is None else number * factor


def _words(value: Element) -> str:
    """Read a statement, which is text or a code with its name."""
    text = " ".join("".join(value.itertext()).split())
    return text or value.get("displayName", "") or value.get("code", "")
