"""Ask a language model whose checkpoint lies on this machine, through the package transformers."""

from collections.abc import Sequence
from typing import Any

from twelvelead.interpret.prompts import Message
from twelvelead.terms import InputError


class LanguageCheckpoint:
    """A loaded model; to be called as `interpret.language_model.Generate`.

    Parameters
    ----------
    name : str
        A folder, or the name of one in the local store. Nothing is downloaded.
    device : str
        cpu, or cuda.
    most_tokens : int
        After how many tokens it is to stop.

    Raises
    ------
    MissingExtra
        If transformers or torch is not installed.
    InputError
        If the checkpoint is not on this machine.
    """

    def __init__(self, name: str, *, device: str = "cpu", most_tokens: int = 1024) -> None:
        from twelvelead.interpret.dual_decoder import load_named

        self.model, self.tokeniser = load_named(name, device=device)
        self.most_tokens = most_tokens

    def __call__(self, messages: Sequence[Message], *, image: bytes | None = None) -> str:
        """Answer a conversation: the likeliest token each time.

        Raises
        ------
        InputError
            If a picture is to be shown, which a model of text can't see.
        """
        if image is not None:
            msg = "a checkpoint of this kind reads text only; got a picture. Leave it out, or use a server."
            raise InputError(msg)
        turns = [{"role": message.role, "content": message.text} for message in messages]
        asked: Any = self.tokeniser.apply_chat_template(
            turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self.model.device)
        tokens = self.model.generate(**asked, max_new_tokens=self.most_tokens, do_sample=False)
        new = tokens[0, asked["input_ids"].shape[1] :]
        return str(self.tokeniser.decode(new, skip_special_tokens=True)).strip()
