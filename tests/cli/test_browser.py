"""The browser: its protocol through pipes, and what is kept of a page."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.browser import INTERFACES_CHANGED, TRIES, Page, Pipe, load_undisturbed, start_browser

FAKE = '''
#!{python}
"""A browser that knows what a page needs: it answers every call; a page makes two requests, one in vain."""
import json, os
buffer = b""
def send(message):
    os.write(4, json.dumps(message).encode() + b"\\0")
results = {{
    "Target.createTarget": {{"targetId": "1"}},
    "Target.attachToTarget": {{"sessionId": "s"}},
    "Runtime.evaluate": {{"result": {{"value": "seen"}}}},
    "Page.captureScreenshot": {{"data": "UE5H"}},
}}
while data := os.read(3, 65536):
    *messages, buffer = (buffer + data).split(b"\\0")
    for message in map(json.loads, messages):
        if message["method"] == "Page.navigate":
            for url, status in (("http://x/", 200), ("http://x/app.js", 404)):
                response = {{"url": url, "status": status}}
                send({{"method": "Network.responseReceived", "params": {{"response": response}}}})
        send({{"id": message["id"], "result": results.get(message["method"], {{}})}})
'''


@pytest.fixture
def pipe() -> Iterator[tuple[Pipe, int]]:
    """One that reads what is written to the descriptor beside it."""
    reading, writing = os.pipe()
    yield Pipe(reading, writing), writing
    os.close(reading)


def test_messages_are_whole(pipe: tuple[Pipe, int]) -> None:
    """However they are cut on their way; where none comes there is none, and an end is said."""
    receiver, writing = pipe
    os.write(writing, b'{"id": 1}\0{"i')
    assert receiver.receive(5) == {"id": 1}
    assert receiver.receive(0) is None
    os.write(writing, b'd": 2}\0')
    assert receiver.receive(5) == {"id": 2}
    os.close(writing)
    with pytest.raises(RuntimeError, match="ended"):
        receiver.receive(5)


def test_a_message_is_sent_as_json(pipe: tuple[Pipe, int]) -> None:
    """With the zero byte that ends it."""
    sender, writing = pipe
    sender.send({"id": 1, "method": "Page.enable"})
    assert sender.receive(5) == {"id": 1, "method": "Page.enable"}
    os.close(writing)


def test_a_page_says_what_it_could_not_have(tmp_path: Path) -> None:
    """Requests with their status, and texts; a picture is taken when it is wanted."""
    program = tmp_path / "chromium"
    program.write_text(textwrap.dedent(FAKE.format(python=sys.executable)).lstrip())
    program.chmod(0o755)
    with start_browser(str(program), {}) as people:
        page = people.open("http://x/")
        assert people.take_picture("webp", quality=80) == b"PNG"
    assert page.broken() == {"http://x/app.js": 404}
    assert (page.title, page.text) == ("seen", "seen")
    assert page.list_failures() == ["http://x/app.js: status 404"]


def test_a_program_that_ends_is_said(tmp_path: Path) -> None:
    """Instead of waiting for it."""
    with pytest.raises(RuntimeError, match="ended"), start_browser("/bin/true", {}):
        pass


def test_a_failed_request_is_broken() -> None:
    """One without an answer as well as one with an error."""
    page = Page(requests={"a": 200, "b": 0, "c": 500, "d": 302})
    assert json.dumps(page.broken()) == '{"b": 0, "c": 500}'


@pytest.mark.parametrize(("disturbed", "loads"), [(0, 1), (1, 2), (TRIES, TRIES)])
def test_a_page_is_loaded_again_where_the_machine_disturbed_it(disturbed: int, loads: int) -> None:
    """A new interface ends all requests of a browser; what stays so is an error as any other."""
    made: list[Page] = []

    def load() -> Page:
        made.append(Page(errors=["no", INTERFACES_CHANGED] if len(made) < disturbed else ["no"]))
        return made[-1]

    assert load_undisturbed(load) is made[-1]
    assert len(made) == loads
