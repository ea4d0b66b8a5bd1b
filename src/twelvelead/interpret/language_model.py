"""Let a language model tell an ECG, and check each of its claims; what it doesn't mend, we tell ourselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import judge
from twelvelead.interpret.narrate import write
from twelvelead.interpret.narrate_paragraph import paragraph
from twelvelead.interpret.prompts import Message, ask, correct
from twelvelead.interpret.proof import Interpretation
from twelvelead.interpret.verify import CONTRADICTED, SUPPORTED, Checked, verify
from twelvelead.terms import InputError

Mode = Literal["free", "measured", "verified"]


class Generate(Protocol):
    """A language model: messages and perhaps a picture in, text out."""

    def __call__(self, messages: Sequence[Message], *, image: bytes | None = None) -> str:
        """Answer a conversation.

        Parameters
        ----------
        messages : sequence of Message
            The last one is the user's.
        image : bytes or None
            A PNG of the ECG, which belongs to the first question.

        Raises
        ------
        InputError
            If there is no answer.
        """


@dataclass(frozen=True)
class Told:
    """What came of asking a language model.

    Parameters
    ----------
    text : str
        What is to be read.
    mode : {"free", "measured", "verified"}
        How it was asked.
    checked : tuple of Checked
        Each claim of `text` with what became of it.
    happened : tuple of str
        What was done, a sentence each, in order.
    drafts : tuple of str
        All that the model wrote, in order.
    fell_back : bool
        Whether `text` is ours, because the model's would not do.
    """

    text: str
    mode: Mode
    checked: tuple[Checked, ...]
    happened: tuple[str, ...]
    drafts: tuple[str, ...]
    fell_back: bool = False

    @property
    def n_contradicted(self) -> int:
        """Claims of the text that the recording contradicts."""
        return sum(one.standing is CONTRADICTED for one in self.checked)


def tell_by_model(
    generate: Generate,
    case: Case,
    *,
    pack: Pack,
    mode: Mode,
    repairs: int = 2,
    image: bytes | None = None,
) -> Told:
    """Have a language model tell an ECG.

    Parameters
    ----------
    generate : Generate
        The model.
    case : Case
        The recording, measured.
    pack : Pack
        Criteria by which diagnoses are checked.
    mode : {"free", "measured", "verified"}
        Free: it is only asked. Measured: it is told the measurements. Verified: the same, and it is told what of its
        text the recording contradicts, and asked again, up to `repairs` times; if it still is wrong, if nothing it says
        can be checked, or if it can't be reached, our own paragraph takes its place.
    repairs : int
        How often it is asked again.
    image : bytes or None
        A PNG of the ECG.

    Returns
    -------
    Told

    Raises
    ------
    InputError
        If the model gives no answer, but in the mode verified; or `repairs` is negative.

    Notes
    -----
    In every mode each claim of the text is checked and listed. What is unverifiable or was not measured remains in the
    text: it is for the reader to see in the list that nothing here vouches for it.
    """
    if repairs < 0:
        msg = f"repairs must be 0 or more; got {repairs}. Change it."
        raise InputError(msg)
    found = judge(case, pack)
    messages = ask(case, measured=mode != "free", shown=image is not None)
    if mode != "verified":
        text = generate(messages, image=image)
        checked = tuple(verify(text, case, found))
        return Told(text, mode, checked, (_say(checked, 1),), (text,))
    drafts: list[str] = []
    happened: list[str] = []
    for attempt in range(1, repairs + 2):
        try:
            text = generate(messages, image=image)
        except InputError as error:
            happened.append(f"Attempt {attempt}: no answer: {error}")
            break
        drafts.append(text)
        checked = tuple(verify(text, case, found))
        happened.append(_say(checked, attempt))
        if _will_do(checked):
            return Told(text, mode, checked, tuple(happened), tuple(drafts))
        messages = [*messages, Message("assistant", text), correct(checked)]
    return _fall_back(case, pack, found, (happened, drafts))


def _fall_back(case: Case, pack: Pack, found: Interpretation, so_far: tuple[list[str], list[str]]) -> Told:
    text = write(paragraph(case, pack, found))
    happened, drafts = so_far
    checked = tuple(verify(text, case, found))
    said = (*happened, "The paragraph made from the measurements takes the model's place.")
    return Told(text, "verified", checked, said, tuple(drafts), fell_back=True)


def _will_do(checked: Sequence[Checked]) -> bool:
    standings = {one.standing for one in checked}
    return SUPPORTED in standings and CONTRADICTED not in standings


def _say(checked: Sequence[Checked], attempt: int) -> str:
    wrong = sum(one.standing is CONTRADICTED for one in checked)
    right = sum(one.standing is SUPPORTED for one in checked)
    return f"Attempt {attempt}: {len(checked)} claims, {right} supported, {wrong} contradicted."
