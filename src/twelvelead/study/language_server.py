"""Ask a language model that a server with OpenAI's interface runs: on this machine, unless another is allowed."""

import base64
import ipaddress
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from twelvelead.interpret.prompts import Message
from twelvelead.terms import InputError

MOST_BYTES = 4_000_000
"""An answer of more is refused."""
SHOWN = 200


@dataclass(frozen=True)
class LanguageServer:
    """A server and what is wanted of it; to be called as `interpret.language_model.Generate`.

    Parameters
    ----------
    url : str
        Up to and with its version, as in http://127.0.0.1:8000/v1.
    model : str or None
        By the server's name; the only one that it has unless given.
    allow_remote : bool
        Whether it may be another machine: what is sent are measurements of a person's ECG, and its picture.
    timeout_s : float
        How long to wait for an answer.
    most_tokens : int
        After how many tokens it is to stop.

    Raises
    ------
    InputError
        If the URL is none, or is of another machine and that was not allowed.

    Notes
    -----
    A machine counts as this one if the URL says localhost or an address of the loopback. No proxy that the environment
    names is used and no redirection followed, since either would carry the ECG elsewhere. Temperature is 0.
    """

    url: str
    model: str | None = None
    allow_remote: bool = False
    timeout_s: float = 120.0
    most_tokens: int = 1024

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = f"a server must be given as http://HOST:PORT/v1; got {self.url!r}. Give its whole address."
            raise InputError(msg)
        if not self.allow_remote and not is_here(parts.hostname):
            msg = f"the server must be this machine; got {parts.hostname!r}. Allow another one with --allow-remote, if "
            msg += "the ECG may leave this machine."
            raise InputError(msg)

    def __call__(self, messages: Sequence[Message], *, image: bytes | None = None) -> str:
        """Answer a conversation.

        Raises
        ------
        InputError
            If the server can't be reached, takes too long, refuses, or answers something else than text.
        """
        body = {
            "model": self.model or self._only_model(),
            "messages": [_as_json(m, image if k == _first_user(messages) else None) for k, m in enumerate(messages)],
            "temperature": 0,
            "max_tokens": self.most_tokens,
        }
        said = self._ask("chat/completions", body)
        try:
            text = said["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise InputError(self._not_an_answer(said)) from error
        if not isinstance(text, str) or not text.strip():
            raise InputError(self._not_an_answer(said))
        return text.strip()

    def _only_model(self) -> str:
        said = self._ask("models", None)
        try:
            names = [str(model["id"]) for model in said["data"]]
        except (KeyError, TypeError) as error:
            raise InputError(self._not_an_answer(said)) from error
        if len(names) != 1:
            msg = f"it must be said which model is meant; got {len(names)} at {self.url}: {', '.join(names)[:SHOWN]}. "
            msg += "Name one."
            raise InputError(msg)
        return names[0]

    def _ask(self, path: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401 - whatever the server says
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - http and https only, see above
            f"{self.url.rstrip('/')}/{path}", data=data, headers={"Content-Type": "application/json"}
        )
        try:
            with _opener().open(request, timeout=self.timeout_s) as answer:
                content = self._read(answer)
        except HTTPError as error:
            told = error.read(SHOWN).decode(errors="replace")
            msg = f"a language model's server must answer; got HTTP {error.code} from {self.url}: {told!r}. "
            msg += "Look at the server's log."
            raise InputError(msg) from error
        except (URLError, TimeoutError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            waited = f"no answer in {self.timeout_s:g} s" if "timed out" in str(reason) else str(reason)
            msg = f"a language model's server must answer; got {waited} from {self.url}. Is it running?"
            raise InputError(msg) from error
        try:
            return json.loads(content)
        except ValueError as error:
            raise InputError(self._not_an_answer(content.decode(errors="replace"))) from error

    def _read(self, answer: Any) -> bytes:  # noqa: ANN401 - a response of the library
        """Read to the end; a server that goes on and on, or that sends a byte now and then, is left."""
        until = time.monotonic() + self.timeout_s
        content = bytearray()
        while piece := answer.read1(65536):
            content += piece
            if len(content) > MOST_BYTES:
                msg = f"an answer must have at most {MOST_BYTES} bytes; got more from {self.url}. Ask for fewer tokens."
                raise InputError(msg)
            if time.monotonic() > until:
                msg = "timed out"
                raise TimeoutError(msg)
        return bytes(content)

    def _not_an_answer(self, said: Any) -> str:  # noqa: ANN401
        shown = said if isinstance(said, str) else json.dumps(said)
        msg = f"an answer must be a chat completion with text; got {shown[:SHOWN]!r} from {self.url}. "
        return msg + "Is it such a server?"


def is_here(host: str) -> bool:
    """Say whether a host's name can only mean this machine.

    Parameters
    ----------
    host : str
        A name or an address.

    Examples
    --------
    >>> is_here("127.0.0.1"), is_here("::1"), is_here("localhost"), is_here("10.0.0.7"), is_here("localhost.evil.org")
    (True, True, True, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirect(HTTPRedirectHandler):
    """Refuse to be sent elsewhere: the redirection then counts as an error."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - the library's own arguments
        return None


def _opener() -> OpenerDirector:
    return build_opener(ProxyHandler({}), _NoRedirect())


def _first_user(messages: Sequence[Message]) -> int:
    return next(k for k, message in enumerate(messages) if message.role == "user")


def _as_json(message: Message, image: bytes | None) -> dict[str, Any]:
    if image is None:
        return {"role": message.role, "content": message.text}
    picture = {"url": f"data:image/png;base64,{base64.b64encode(image).decode()}"}
    return {
        "role": message.role,
        "content": [{"type": "image_url", "image_url": picture}, {"type": "text", "text": message.text}],
    }
