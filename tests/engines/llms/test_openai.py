"""The OpenAI-compatible engine against a real server on loopback: what arrives, what is sent, and what goes wrong."""

import json
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.engines.llms.openai import OpenAILLM
from penstock.errors import EngineError, MissingKey, ModelRefused, ModelUnavailable, SettingsError, UnknownName
from penstock.model import Message, Usage
from penstock.ports import LLM
from penstock.testing.contracts.llms import LLMContract
from penstock.testing.doubles.llm_server import DONE, Reply, ScriptedServer, answer, delta, event, refusal, usage

ASKED = [Message(role="system", content="Be short."), Message(role="user", content="年假几天?")]
KEY = "sk-very-secret-0123456789"


def model_at(server: ScriptedServer, **options: Any) -> OpenAILLM:
    return OpenAILLM(**{"model": "m", "base_url": server.url, "wait": lambda _: None, **options})


def answered(llm: OpenAILLM, max_tokens: int = 50) -> tuple[str, Usage | None]:
    items = list(llm.stream(ASKED, max_tokens=max_tokens))
    found = [item for item in items if isinstance(item, Usage)]
    return "".join(item for item in items if isinstance(item, str)), found[0] if found else None


class TestOpenAILLM(LLMContract):
    @pytest.fixture
    def llm(self) -> Iterator[LLM]:
        with ScriptedServer(answer("Hello", " there.")) as server:
            yield model_at(server)

    @pytest.fixture
    def unreachable(self) -> Iterator[LLM]:
        with ScriptedServer(refusal(503, "overloaded")) as server:
            yield model_at(server, attempts=1)


def test_streams_the_answer_and_the_usage() -> None:
    with ScriptedServer(answer("十", "天 [1]")) as server:
        assert list(model_at(server).stream(ASKED, max_tokens=50)) == [
            "十",
            "天 [1]",
            Usage(prompt_tokens=11, completion_tokens=7),
        ]
        path, _, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "年假几天?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
        "temperature": 0.0,
    }


def test_sends_nothing_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer ambient\nX-More: more")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ScriptedServer(answer("Hi")) as server:
        answered(model_at(server))
        answered(model_at(server, api_key=KEY))
    without, with_key = (headers for _, headers, _ in server.requests)
    assert set(without) <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "content-length",
        "user-agent",
    }
    assert with_key.pop("authorization") == f"Bearer {KEY}"
    assert set(with_key) == set(without)
    assert without["user-agent"] == "penstock"


@pytest.mark.parametrize(
    "base",
    [pytest.param("/v1", id="with v1"), pytest.param("", id="without"), pytest.param("/api/paas/v4/", id="other")],
)
@pytest.mark.parametrize("version", [pytest.param("", id="plain"), pytest.param("?api-version=1", id="with a query")])
def test_takes_the_base_url_as_given(base: str, version: str) -> None:
    with ScriptedServer(answer("Hi")) as server:
        answered(model_at(server, base_url=server.url.removesuffix("/v1") + base + version))
    assert server.requests[0][0] == f"{base.rstrip('/')}/chat/completions{version}"


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        pytest.param("Unrecognized request argument supplied: stream_options", "stream_options", id="named"),
        pytest.param("Extra inputs are not permitted", "stream_options", id="not named"),
        pytest.param("Unsupported value: 'temperature' does not support 0.0", "temperature", id="temperature"),
        pytest.param(
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens", id="limit"
        ),
    ],
)
def test_does_without_an_option_that_the_server_rejects(words: str, gone: str) -> None:
    with ScriptedServer(refusal(400, words), answer("Hi")) as server:
        llm = model_at(server)
        assert answered(llm)[0] == "Hi"
        assert answered(llm)[0] == "Hi"
    first, second, third = (body for _, _, body in server.requests)
    assert gone in first
    assert gone not in second
    assert second == third, "what was found out is remembered"
    assert (gone != "max_tokens") or second["max_completion_tokens"] == 50


def test_gives_up_on_a_request_that_stays_refused() -> None:
    with (
        ScriptedServer(refusal(400, "the prompt is too long")) as server,
        pytest.raises(ModelRefused, match="too long"),
    ):
        answered(model_at(server))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            [delta(reasoning_content="Hm"), delta(reasoning_content="m."), delta("Ten")], id="field of DeepSeek"
        ),
        pytest.param([delta(reasoning="Hmm."), delta("Ten")], id="field of vLLM"),
        pytest.param([delta("<th"), delta("ink>\nHm."), delta("</thi"), delta("nk>\n\nTen")], id="block"),
        pytest.param([delta(""), delta(None), delta("\n"), delta("Ten")], id="empty pieces"),
    ],
)
def test_gives_the_answer_without_the_reasoning(parts: list[bytes]) -> None:
    with ScriptedServer(Reply(parts=[*parts, delta(" days."), delta(finish="stop"), DONE])) as server:
        assert answered(model_at(server)) == ("Ten days.", None)


def test_reads_a_server_that_cannot_stream() -> None:
    whole = {
        "choices": [{"message": {"role": "assistant", "content": "Ten."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    reply = Reply(parts=[json.dumps(whole).encode()], headers={"content-type": "application/json"})
    with ScriptedServer(reply) as server:
        assert answered(model_at(server)) == ("Ten.", Usage(prompt_tokens=3, completion_tokens=2))


def test_takes_the_last_of_many_usages_and_characters_cut_in_two() -> None:
    data = delta("年假")
    at = data.index("年".encode()) + 1
    parts = [data[:at], data[at:], usage(3, 1), b": keep alive\n\n", usage(3, 2), delta(finish="stop")]
    with ScriptedServer(Reply(parts=parts)) as server:
        assert answered(model_at(server)) == ("年假", Usage(prompt_tokens=3, completion_tokens=2))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(delta("a\u2028b") + delta(finish="stop") + DONE, id="a character that ends lines of text"),
        pytest.param((delta("a\u2028b") + delta(finish="stop") + DONE).replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(delta("a\u2028b").replace(b", ", b",\ndata: ") + delta(finish="stop"), id="data in many lines"),
        pytest.param(delta("a\u2028b") + b"event: x\nid: 7\n\n" + delta(finish="stop").rstrip(), id="other fields"),
        pytest.param((delta("a\u2028b") + delta(finish="stop")).replace(b"data: ", b"data:"), id="no space"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_reads_events_however_they_are_written_and_cut(body: bytes, size: int) -> None:
    parts = [body[first : first + size] for first in range(0, len(body), size)]
    with ScriptedServer(Reply(parts=parts)) as server:
        assert answered(model_at(server))[0] == "a\u2028b"


def test_an_error_beside_an_answer_is_an_error() -> None:
    reply = Reply(parts=[event({"error": {"message": "bad prompt"}, "choices": [{"finish_reason": "error"}]})])
    with ScriptedServer(reply) as server, pytest.raises(ModelRefused, match="bad prompt"):
        answered(model_at(server))


@pytest.mark.parametrize(
    ("failing", "pauses"),
    [
        pytest.param(refusal(429, "slow down", headers={"retry-after": "7"}), [7.0], id="429 with its pause"),
        pytest.param(
            refusal(429, "slow down", headers={"retry-after": "Sat, 01 Jan 2000 00:00:00 GMT"}), [0.0], id="429 date"
        ),
        pytest.param(refusal(503, "loading model"), None, id="503"),
        pytest.param(refusal(500, "", headers={"retry-after": "soon"}), None, id="500"),
        pytest.param(Reply(parts=[], cut=True), None, id="cut before the first piece"),
        pytest.param(Reply(parts=[delta(finish="stop"), DONE]), None, id="empty answer"),
        pytest.param(Reply(parts=[event({"error": {"message": "server overloaded"}})]), None, id="error in the stream"),
        pytest.param(Reply(parts=[event({"error": "model is busy"})]), None, id="error as a string"),
        pytest.param(
            Reply(parts=[event({"object": "error", "message": "timeout", "code": 50001})]),
            None,
            id="error as an object",
        ),
        pytest.param(Reply(parts=[b"data: {not json\n\n"]), None, id="broken JSON"),
        pytest.param(Reply(parts=[b"data: \xff\xfe\n\n"]), None, id="broken UTF-8"),
        pytest.param(Reply(parts=[b"nonsense\n\n"]), None, id="no events"),
        pytest.param(Reply(parts=[event([1]), event(1), event({"choices": [7]})]), None, id="events of another kind"),
    ],
)
def test_asks_again_when_that_may_help(failing: Reply, pauses: list[float] | None) -> None:
    waited: list[float] = []
    with ScriptedServer(failing, failing, answer("Ten.")) as server:
        assert answered(model_at(server, wait=waited.append))[0] == "Ten."
    if pauses:
        assert waited == pauses * 2
    else:
        assert 0.3 < waited[0] < 0.7 < waited[1] < 1.3, "pauses grow"
    with ScriptedServer(failing) as server, pytest.raises(ModelUnavailable):
        answered(model_at(server, attempts=2))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(
            refusal(401, f"Incorrect API key provided: {KEY}"), "check the key in PENSTOCK_LLM__API_KEY", id="401"
        ),
        pytest.param(refusal(403, "no access"), "no access", id="403"),
        pytest.param(refusal(402, "Insufficient Balance"), "Insufficient Balance", id="402"),
        pytest.param(refusal(429, "no money", code="insufficient_quota"), "no money", id="429 that stays"),
        pytest.param(refusal(429, "much later", headers={"retry-after": "7200"}), "much later", id="429 for hours"),
        pytest.param(
            refusal(307, "moved", headers={"location": "http://127.0.0.1:9/v1"}), "set llm.base_url", id="redirect"
        ),
        pytest.param(Reply(parts=[b"<html>welcome"], headers={"content-type": "text/html"}), "web page", id="web page"),
        pytest.param(Reply(parts=[b"x" * 900], status=418), "xxx...", id="long words"),
        pytest.param(Reply(parts=[delta(finish="content_filter")]), "content filter", id="filtered"),
        pytest.param(
            Reply(parts=[delta(reasoning_content="Hm"), delta(finish="length")]),
            "on its reasoning",
            id="only reasoning",
        ),
        pytest.param(Reply(parts=[delta("<think>Hm"), delta(finish="length")]), "on its reasoning", id="only a block"),
        pytest.param(Reply(parts=[delta(finish="length")]), "spent all 50 tokens and", id="no room"),
        pytest.param(
            Reply(parts=[event({"error": {"message": "bad prompt"}})]), "bad prompt", id="error in the stream"
        ),
        pytest.param(
            Reply(parts=[event({"base_resp": {"status_code": 1004, "status_msg": "no login"}})]),
            "no login",
            id="MiniMax",
        ),
        pytest.param(
            Reply(parts=[event({"code": "InvalidParameter", "message": "bad thing"})]), "bad thing", id="DashScope"
        ),
    ],
)
def test_says_what_the_server_said_and_asks_once(reply: Reply, words: str) -> None:
    with ScriptedServer(reply) as server, pytest.raises(EngineError, match=words) as raised:
        answered(model_at(server, api_key=KEY))
    assert len(server.requests) == 1
    assert KEY not in str(raised.value)
    assert "127.0.0.1" in str(raised.value) or "tokens" in str(raised.value)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_names_the_models_beside_one_that_is_unknown() -> None:
    listed = Reply(parts=[b'{"data": [{"id": "qwen3"}, {"id": "glm"}]}'], headers={"content-type": "application/json"})
    with (
        ScriptedServer(refusal(404, "model 'm' not found"), listed) as server,
        pytest.raises(ModelRefused, match=r"not found; check llm\.model .*'m'.* it serves 'glm', 'qwen3'"),
    ):
        answered(model_at(server))
    with ScriptedServer(refusal(404, "no such path")) as server, pytest.raises(ModelRefused, match="no such path"):
        answered(model_at(server))


@pytest.mark.parametrize("cut", [pytest.param(True, id="broken connection"), pytest.param(False, id="silent end")])
def test_an_answer_cut_in_the_middle_is_an_error_and_not_repeated(cut: bool) -> None:
    pieces: list[object] = []
    with ScriptedServer(Reply(parts=[delta("Ten"), delta(" da")], cut=cut)) as server:
        with pytest.raises(ModelUnavailable):
            pieces.extend(model_at(server).stream(ASKED, max_tokens=50))
        stream = model_at(server).stream(ASKED, max_tokens=50)
        assert [next(stream), next(stream)] == ["Ten", " da"]
        with pytest.raises(ModelUnavailable):
            next(stream)
    assert len(server.requests) == 2


def test_does_not_wait_for_ever() -> None:
    slow = Reply(parts=[delta("Ten")], pause_seconds=0.6)
    with ScriptedServer(slow) as server, pytest.raises(ModelUnavailable, match="timeout_seconds"):
        answered(model_at(server, timeout_seconds=0.1, attempts=2))


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelUnavailable, match="is the server running"):
        answered(OpenAILLM(model="m", base_url=url, attempts=1))


def test_a_missing_key_is_named_and_nothing_is_sent() -> None:
    llm = OpenAILLM(preset="deepseek")
    assert llm.count_tokens("年假") > 0
    with pytest.raises(MissingKey, match="PENSTOCK_LLM__API_KEY or DEEPSEEK_API_KEY"):
        answered(llm)
    with ScriptedServer(refusal(401, "who are you?")) as server:
        with pytest.raises(MissingKey, match="PENSTOCK_LLM__API_KEY"):
            answered(model_at(server))
        with pytest.raises(MissingKey, match="DEEPSEEK_API_KEY"):
            answered(model_at(server, preset="deepseek"))


def test_a_preset_fills_in_what_is_not_given() -> None:
    llm = OpenAILLM(preset="moonshot")
    assert (llm.name, llm.context_tokens) == ("kimi-k2.6", 262144)
    assert OpenAILLM(preset="ollama", model="qwen3", context_tokens=32768).context_tokens == 32768
    assert OpenAILLM(model="m", base_url="http://localhost:1/v1").context_tokens == 8192


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        pytest.param({}, SettingsError, "llm.base_url", id="nothing"),
        pytest.param({"base_url": "localhost:8000", "model": "m"}, SettingsError, "http", id="no scheme"),
        pytest.param({"preset": "ollama"}, SettingsError, "name the model", id="no model"),
        pytest.param({"preset": "olama"}, UnknownName, "'ollama'", id="no such preset"),
    ],
)
def test_settings_that_cannot_work(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        OpenAILLM(**options)


def test_never_shows_the_key() -> None:
    llm = OpenAILLM(model="m", base_url=f"http://user:{KEY}@127.0.0.1:9/v1?key={KEY}", api_key=KEY, attempts=1)
    with pytest.raises(ModelUnavailable) as raised:
        answered(llm)
    assert KEY not in f"{raised.value} {llm!r} {llm}"


def test_counts_with_a_tokenizer_file(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"leave": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    llm = OpenAILLM(model="m", base_url="http://localhost:1/v1", tokenizer=tmp_path / "tokenizer.json")
    assert llm.count_tokens("leave carries over") == 3
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"broken\.json"):
        OpenAILLM(model="m", base_url="http://localhost:1/v1", tokenizer=tmp_path / "broken.json")
