"""A language model is asked, checked, corrected and, where it does not mend itself, replaced; one with a script."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from twelvelead.interpret.case import examine
from twelvelead.interpret.language_model import tell_by_model
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.prompts import Message, ask, correct, tabulate
from twelvelead.interpret.verify import CONTRADICTED, verify
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.study.language_checkpoint import LanguageCheckpoint
from twelvelead.study.language_server import MOST_BYTES, LanguageServer, is_here
from twelvelead.terms import InputError, MissingExtra

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def case():
    sim = hospital(1, site=SITE_A, seed=1)
    return examine(recording(sim.truth.row(0, named=True), site=SITE_A))


@pytest.fixture
def true_text(case):
    rate, width = case.values["heart_rate_bpm"], case.values["qrs_duration_ms"]
    return f"The heart rate is {rate:.0f} bpm and QRS duration {width:.0f} ms."


@pytest.fixture
def false_text(case):
    return f"The heart rate is {case.values['heart_rate_bpm'] + 60:.0f} bpm."


class Scripted:
    """Says what it was told to, one after the other, the last one for ever; and keeps what it was asked."""

    def __init__(self, *texts):
        self.texts, self.asked = list(texts), []

    def __call__(self, messages, *, image=None):
        self.asked.append((list(messages), image))
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Exception):
            raise text
        return text


def test_free_asks_without_the_measurements_and_checks_all_the_same(case, false_text):
    model = Scripted(false_text)
    told = tell_by_model(model, case, pack=DEFAULT, mode="free", image=PNG)
    assert told.text == false_text
    assert told.n_contradicted == 1
    assert not told.fell_back
    ((messages, image),) = model.asked
    assert image == PNG
    assert "PR interval:" not in messages[-1].text


def test_measured_tells_the_measurements(case, true_text):
    model = Scripted(true_text)
    told = tell_by_model(model, case, pack=DEFAULT, mode="measured")
    assert tabulate(case) in model.asked[0][0][-1].text
    assert told.n_contradicted == 0
    assert told.happened == ("Attempt 1: 2 claims, 2 supported, 0 contradicted.",)


def test_what_is_contradicted_is_told_and_mended(case, true_text, false_text):
    model = Scripted(false_text, true_text)
    told = tell_by_model(model, case, pack=DEFAULT, mode="verified")
    assert told.text == true_text
    assert told.drafts == (false_text, true_text)
    assert not told.fell_back
    first, second = (messages for messages, _ in model.asked)
    assert second[: len(first)] == first
    assert second[-2] == Message("assistant", false_text)
    said = second[-1].text
    assert f"{case.values['heart_rate_bpm'] + 60:.0f}" in said
    assert f"{case.values['heart_rate_bpm']:.0f}" in said


def test_a_model_that_never_repairs_is_replaced(case, false_text):
    model = Scripted(false_text)
    told = tell_by_model(model, case, pack=DEFAULT, mode="verified", repairs=3)
    assert len(model.asked) == 4
    assert told.fell_back
    assert told.drafts == (false_text,) * 4
    assert told.n_contradicted == 0
    assert f"{case.values['heart_rate_bpm']:.0f} bpm" in told.text


@pytest.mark.parametrize("empty", ["The ECG is interesting.", "As an AI I can't say."])
def test_a_text_that_can_not_be_checked_will_not_do(case, empty):
    told = tell_by_model(Scripted(empty), case, pack=DEFAULT, mode="verified", repairs=1)
    assert told.fell_back
    assert "could be checked" in correct(verify(empty, case)).text


def test_a_model_that_fails_is_replaced_only_where_there_is_a_replacement(case, true_text, false_text):
    gone = InputError("a server must answer; got none. Start it.")
    told = tell_by_model(Scripted(false_text, gone), case, pack=DEFAULT, mode="verified")
    assert told.fell_back
    assert "no answer" in told.happened[1]
    with pytest.raises(InputError, match="must answer"):
        tell_by_model(Scripted(gone), case, pack=DEFAULT, mode="measured")
    with pytest.raises(InputError, match="repairs must be 0 or more"):
        tell_by_model(Scripted(true_text), case, pack=DEFAULT, mode="verified", repairs=-1)


def test_every_number_of_the_table_in_the_prompt_is_supported(case):
    """What the model is told must be what its text is checked by."""
    for line in tabulate(case).splitlines()[:13]:
        claims = [one for one in verify(line.replace(":", " is") + ".", case) if one.kind == "number"]
        assert len(claims) == (0 if "not measured" in line else 1), line
        assert all(one.standing.value == "supported" for one in claims), line


@contextmanager
def server(answer, *, path="/v1/chat/completions"):
    """An HTTP server on the loopback; `answer` gives status, headers and body for a request."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self._send()

        def do_GET(self):
            asked.append((self.path, None))
            self._send()

        def _send(self):
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in body if isinstance(body, list) else [body]:
                try:
                    self.wfile.write(piece)
                    self.wfile.flush()
                except OSError:
                    return
                if isinstance(body, list):
                    time.sleep(0.1)

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1", asked
    finally:
        running.shutdown()
        running.server_close()


def completion(text):
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def test_a_server_is_asked_as_its_interface_says(case):
    with server(lambda _: (200, {}, completion("  sinus rhythm "))) as (url, asked):
        text = LanguageServer(url, model="m")(ask(case, measured=False, shown=True), image=PNG)
    assert text == "sinus rhythm"
    ((path, body),) = asked
    assert path == "/v1/chat/completions"
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0, 1024)
    system, user = body["messages"]
    assert isinstance(system["content"], str)
    assert user["content"][0]["image_url"]["url"].startswith("data:image/png;base64,iVBORw0K")
    assert user["content"][1]["text"].startswith("Interpret this ECG")


def test_the_only_model_is_taken_and_of_two_one_must_be_named(case):
    def answer(names):
        models = json.dumps({"data": [{"id": name} for name in names]}).encode()
        return lambda path: (200, {}, models if path.endswith("models") else completion("ok"))

    with server(answer(["tiny"])) as (url, asked):
        LanguageServer(url)(ask(case, measured=False, shown=False))
    assert asked[1][1]["model"] == "tiny"
    with server(answer(["a", "b"])) as (url, _), pytest.raises(InputError, match=r"got 2 at .*: a, b"):
        LanguageServer(url)(ask(case, measured=False, shown=False))


BROKEN = {
    "HTTP 500": lambda _: (500, {}, b"out of memory"),
    "HTTP 302": lambda _: (302, {"Location": "http://127.0.0.1:9/elsewhere"}, b""),
    "no JSON": lambda _: (200, {}, b"<html>hello</html>"),
    "no choices": lambda _: (200, {}, b'{"choices": []}'),
    "a list": lambda _: (200, {}, b"[1, 2]"),
    "null": lambda _: (200, {}, b"null"),
    "no text": lambda _: (200, {}, completion(None)),
    "an empty text": lambda _: (200, {}, completion(" ")),
    "too much": lambda _: (200, {}, b" " * (MOST_BYTES + 1)),
    "cut off": lambda _: (200, {"Content-Length": "1000"}, b'{"choices"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_none_is_refused(name, case):
    with server(BROKEN[name]) as (url, asked), pytest.raises(InputError, match="must"):
        LanguageServer(url, model="m", timeout_s=5)(ask(case, measured=False, shown=False))
    assert len(asked) == 1, "it is asked once, and not elsewhere"


def test_a_server_that_trickles_or_is_gone_does_not_hold_us_up(case):
    messages = ask(case, measured=False, shown=False)
    with (
        server(lambda _: (200, {}, [b" "] * 50)) as (url, _),
        pytest.raises(InputError, match=r"no answer in 0\.3 s"),
    ):
        LanguageServer(url, model="m", timeout_s=0.3)(messages)
    with pytest.raises(InputError, match="Is it running"):
        LanguageServer(url, model="m", timeout_s=2)(messages)


def test_through_a_server_that_never_repairs_comes_our_own_text(case, false_text):
    with server(lambda _: (200, {}, completion(false_text))) as (url, asked):
        told = tell_by_model(LanguageServer(url, model="m"), case, pack=DEFAULT, mode="verified", repairs=1)
    assert len(asked) == 2
    assert told.fell_back
    assert not any(one.standing is CONTRADICTED for one in told.checked)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8000/v1", "https://api.example.org/v1", "http://localhost.example.org/v1"]
)
def test_another_machine_must_be_allowed(url):
    with pytest.raises(InputError, match="--allow-remote"):
        LanguageServer(url)
    assert LanguageServer(url, allow_remote=True).url == url


@pytest.mark.parametrize("url", ["localhost:8000", "file:///etc/passwd", "ftp://127.0.0.1/", "http://"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InputError, match="http://HOST:PORT"):
        LanguageServer(url, allow_remote=True)


def test_no_proxy_of_the_environment_sees_the_ecg(case, monkeypatch):
    with server(lambda _: (200, {}, completion("from the proxy"))) as (proxy, seen):
        monkeypatch.setenv("http_proxy", proxy.removesuffix("/v1"))
        with server(lambda _: (200, {}, completion("from the server"))) as (url, _):
            assert LanguageServer(url, model="m")(ask(case, measured=True, shown=False)) == "from the server"
    assert not seen


def test_names_that_only_look_like_this_machine():
    assert is_here("127.8.8.8")
    assert is_here("LOCALHOST")
    assert not any(map(is_here, ("0.0.0.0", "127.0.0.1.example.org", "::", "fe80::1")))  # noqa: S104


def test_a_checkpoint_needs_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtra, match="twelvelead\\[language\\]"):
        LanguageCheckpoint("any")
