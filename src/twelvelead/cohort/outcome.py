"""The rule that says what counts as an outcome."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

_Endless = Annotated[float, PlainSerializer(lambda x: x if math.isfinite(x) else str(x), when_used="json")]
"""A number that may be endless: JSON has no infinity, so `inf` stands there as text, which is read back."""


class Outcome(BaseModel):
    """The rule that says whether a recording's patient had the outcome.

    Parameters
    ----------
    name : str
        Short name, the `target` of every table.
    title : str
        The outcome in words, for the report.
    system : str
        Which events count: `icd10`, `laboratory`, `chest_xray`, `scp`, …
    codes : tuple of str
        Codes of the outcome.
    match : {"exact", "prefix"}
        Whether an event's code must equal one of `codes`, or begin with it (I50 holds I509).
    link : {"recording", "stay", "time"}
        How an event belongs to a recording: it annotates it, it is of the same stay, or it is an event of the patient
        within `window_h`. Of the same stay are the codes of the hospital stay of the ECG and of the one that its
        emergency stay led to; where these have no code of the system, those of the emergency stay.
    window_h : (float, float) or None
        For link "time": from and to, in hours after the recording (negative: before), both included; `inf` is allowed.
    choose : {"nearest", "any"}
        For link "time": whether the event nearest in time decides (of two equally near the earlier), or any event in
        the window. Of "any", results both above and below the range in one window leave the outcome unknown.
    event : {"present", "value", "uncertain", "above_reference", "below_reference", "outside_reference"}
        What makes an event the outcome: that it is there; that its value is at least 0.5; that it is −1 (an X-ray
        finding that the report leaves open, as a class of its own); or that its value lies outside the reference range
        on that side, or on either. "outside_reference" takes the laboratory's flag where a row has no range.
    uncertain : {"no", "yes", "ignore", "unknown"}
        For event "value": what the value −1 counts as (doi:10.1609/aaai.v33i01.3301590). "no" and "yes" are the
        policies U-Zeros and U-Ones. "ignore" takes the event for not there, so that another in the window may decide.
        "unknown" lets it stand: the outcome of that recording is unknown.
    reference : {"row", "median", "declared"}
        The range: each row's own; the median of all rows' limits of that code, whatever the sex (a published fault);
        or `limits`.
    limits : dict of str to (float, float)
        For reference "declared": lower and upper limit for "female", "male" or "all", in the unit of the values; `-inf`
        or `inf` where there is none.
    opposite : {"no", "unknown"}
        What the abnormality on the other side of the range counts as: no event (as published), or unknown.
    absent : {"no", "no_if_observed", "unknown"}
        What a recording without such an event gets. "no" holds for stays that were coded at all; without any code of
        the system the outcome is unknown. With link "time" it holds for every recording, and "no_if_observed" for
        those with any event of the system in the window.
    sex : {"female", "male"} or None
        Whom the outcome can befall; for everyone else, and where the sex is not known, it is unknown.
    washout_h : float or None
        For an incident outcome: a recording is left out (unknown) if the patient had the event within so many hours
        before the ECG, or at it; `inf` for ever before.
    follow_up_h : float or None
        No event counts as none only if the patient has an event of the system so many hours after the ECG, or later:
        a patient who left can't be said to be well.
    min_events : int
        Fewest recordings with the event, and without it, for which a model may be fitted.

    Examples
    --------
    >>> Outcome(name="I50", title="Heart failure", system="icd10", codes=("I50",), match="prefix", link="stay").absent
    'no'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title: str
    system: str
    codes: tuple[str, ...] = Field(min_length=1)
    match: Literal["exact", "prefix"] = "exact"
    link: Literal["recording", "stay", "time"]
    window_h: tuple[_Endless, _Endless] | None = None
    choose: Literal["nearest", "any"] = "nearest"
    event: Literal["present", "value", "uncertain", "above_reference", "below_reference", "outside_reference"] = (
        "present"
    )
    uncertain: Literal["no", "yes", "ignore", "unknown"] = "no"
    reference: Literal["row", "median", "declared"] = "row"
    limits: dict[Literal["all", "female", "male"], tuple[_Endless, _Endless]] = {}
    opposite: Literal["no", "unknown"] = "no"
    absent: Literal["no", "no_if_observed", "unknown"] = "no"
    sex: Literal["female", "male"] | None = None
    washout_h: Annotated[_Endless, Field(ge=0)] | None = None
    follow_up_h: float | None = Field(default=None, gt=0)
    min_events: int = Field(default=20, ge=2)

    @model_validator(mode="after")
    def _window_goes_with_time(self) -> Self:
        if (self.window_h is not None) != (self.link == "time"):
            msg = f"window_h must be given with link 'time' and only then; got {self.window_h} with {self.link!r}."
            raise ValueError(msg)
        if self.window_h is not None and not self.window_h[0] <= self.window_h[1]:
            msg = f"window_h must run from early to late; got {self.window_h}. Swap the two."
            raise ValueError(msg)
        if self.link != "time" and (self.choose, self.washout_h, self.follow_up_h) != ("nearest", None, None):
            msg = f"choose, washout_h and follow_up_h must go with link 'time'; got {self.link!r}. Leave them out."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _limits_go_with_declared(self) -> Self:
        if bool(self.limits) != (self.reference == "declared"):
            msg = f"limits must be given with reference 'declared' and only then; got {self.limits} with "
            msg += f"{self.reference!r}."
            raise ValueError(msg)
        return self
