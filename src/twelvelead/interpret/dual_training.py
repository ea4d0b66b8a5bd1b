"""Teach a dual encoder what to say of ECGs, and have it say it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from twelvelead.encode import batch_rows
from twelvelead.interpret.dual_encoder import PLACE, DualEncoder, Seen
from twelvelead.terms import InputError

NOT_ASKED = -100
"""Marks a token that the model need not foretell: the ECG's and the questions'."""
ASKED_END = "\n"
"""Ends a question."""


class Turn(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


class Lesson(NamedTuple):
    """What is said of one ECG, and what the encoders made of it.

    Parameters
    ----------
    seen : Seen
        Of a batch of one.
    turns : tuple of Turn
        The ECG stands in the first question, at `PLACE` or before it.
    """

    seen: Seen
    turns: tuple[Turn, ...]


def train(
    model: DualEncoder,
    lessons: Sequence[Lesson],
    *,
    steps: int,
    batch: int,
    lr: float,
    seed: int,
    tell: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Teach the projectors and the decoder; the encoders stay as they are.

    Parameters
    ----------
    model : DualEncoder
        Changed in place.
    lessons : sequence of Lesson
        What to say.
    steps : int
        How often it is changed.
    batch : int
        Lessons per step.
    lr : float
        Learning rate of AdamW, falling to 0 along half a cosine; gradients are cut off at a norm of 1.
    seed : int
        Of the order of the lessons.
    tell : callable, optional
        Told the step and its loss.

    Returns
    -------
    list of float
        Mean surprise per token of the answers at each step, nats.

    Raises
    ------
    InputError
        If there is no lesson, or one is longer than the decoder's context.
    """
    if not lessons:
        msg = "there must be a lesson to train on; got none. Make instruction data first."
        raise InputError(msg)
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    model.train()
    for step in range(steps):
        rows = batch_rows(step, n=len(lessons), batch=min(batch, len(lessons)), seed=seed)
        loss = surprise(model, [lessons[int(row)] for row in rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if tell is not None:
            tell(step, losses[-1])
    model.eval()
    return losses


def surprise(model: DualEncoder, lessons: Sequence[Lesson]) -> Tensor:
    """Give the mean surprise per token of the answers.

    Parameters
    ----------
    model : DualEncoder
        Any.
    lessons : sequence of Lesson
        Which may be of different length.

    Returns
    -------
    Tensor, shape ()
        nats.
    """
    laid = [_lay_out(model, lesson) for lesson in lessons]
    vectors = pad_sequence([vectors for vectors, _ in laid], batch_first=True)
    wanted = pad_sequence([wanted for _, wanted in laid], batch_first=True, padding_value=NOT_ASKED)
    scores, _ = model.decoder(vectors)
    return F.cross_entropy(scores[:, :-1].flatten(0, 1), wanted[:, 1:].flatten(), ignore_index=NOT_ASKED)


def _lay_out(model: DualEncoder, lesson: Lesson) -> tuple[Tensor, Tensor]:
    """Put a conversation into a row: vectors, shape (n, width), and the tokens that are to be foretold, shape (n,)."""
    parts, wanted = [], []
    for k, turn in enumerate(lesson.turns):
        asked = _ask(model, lesson.seen if k == 0 else None, turn.question)
        answer = torch.tensor([*model.decoder.write(turn.answer), model.decoder.end], device=asked.device)
        parts += [asked, model.decoder.embed(answer)]
        wanted += [torch.full((len(asked),), NOT_ASKED, device=asked.device), answer]
    return torch.cat([part.to(parts[0].dtype) for part in parts]), torch.cat(wanted)


def _ask(model: DualEncoder, seen: Seen | None, question: str) -> Tensor:
    """Turn a question into vectors, shape (n, width), with the ECG at `PLACE`, or before it if that is not there."""
    before, _, after = question.rpartition(PLACE)
    parts = [_words(model, before)] if before else []
    if seen is not None:
        parts.append(model.project(seen)[0])
    parts.append(_words(model, after + ASKED_END))
    return torch.cat([part.to(parts[0].dtype) for part in parts])


def _words(model: DualEncoder, text: str) -> Tensor:
    device = next(model.projector.parameters()).device
    return model.decoder.embed(torch.tensor(model.decoder.write(text), device=device))


@torch.no_grad()
def generate(model: DualEncoder, seen: Seen, question: str, *, most: int) -> str:
    """Have a model say what it makes of an ECG: the likeliest token each time.

    Parameters
    ----------
    model : DualEncoder
        A trained one.
    seen : Seen
        What its encoders made of the ECG, a batch of one.
    question : str
        With `PLACE` where the ECG goes.
    most : int
        Tokens after which it is stopped; so it is where its context ends.

    Returns
    -------
    str
        It may be wrong in everything: hand it to `verify`.
    """
    model.eval()
    vectors = _ask(model, seen, question)[None]
    room = model.decoder.context - vectors.shape[1]
    tokens: list[int] = []
    cache = None
    for _ in range(min(most, room)):
        scores, cache = model.decoder(vectors, cache)
        token = int(scores[0, -1].argmax())
        if token == model.decoder.end:
            break
        tokens.append(token)
        vectors = model.decoder.embed(torch.tensor([[token]], device=vectors.device))
    return model.decoder.read(tokens)
