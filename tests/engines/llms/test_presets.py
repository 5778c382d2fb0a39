"""The table of presets can be used as it stands."""

from datetime import date
from urllib.parse import urlsplit

import pytest

from penstock.engines.llms.openai import OpenAILLM
from penstock.engines.llms.presets import Preset, key_of, preset, presets
from penstock.errors import UnknownName

LOCAL = ["ollama", "vllm", "llama-cpp", "lm-studio", "xinference", "tgi", "fastchat"]
WORLD = ["openai"]
CHINA = ["deepseek", "qwen", "zhipu", "baichuan", "moonshot", "qianfan", "spark", "minimax", "yi"]


def test_knows_the_servers_and_vendors_that_it_promises() -> None:
    assert list(presets()) == LOCAL + WORLD + CHINA


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in presets().items()])
def test_each_can_be_called(one: Preset) -> None:
    address = urlsplit(one.base_url)
    local = address.hostname == "localhost"
    assert address.scheme == ("http" if local else "https")
    assert not one.base_url.endswith("/")
    assert one.needs_key is not local
    assert one.key_variable == one.key_variable.upper()
    assert 1024 < one.context_tokens <= 2_000_000
    assert one.docs.startswith("https://")
    assert date(2026, 1, 1) < one.checked
    assert local or one.model
    assert OpenAILLM(preset=one.name, model=one.model or "m").context_tokens == one.context_tokens


def test_a_misspelt_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"no preset named 'deepsek'.*'deepseek'"):
        preset("deepsek")


@pytest.mark.parametrize(
    ("name", "given", "environ", "expected"),
    [
        pytest.param("deepseek", None, {"DEEPSEEK_API_KEY": "theirs"}, "theirs", id="vendor's variable"),
        pytest.param("deepseek", "mine", {"DEEPSEEK_API_KEY": "theirs"}, "mine", id="given first"),
        pytest.param("deepseek", None, {"OPENAI_API_KEY": "other"}, None, id="never another vendor's"),
        pytest.param("ollama", None, {"": "odd"}, None, id="none needed"),
        pytest.param("", "mine", {}, "mine", id="no preset"),
    ],
)
def test_finds_the_key(name: str, given: str | None, environ: dict[str, str], expected: str | None) -> None:
    assert key_of(name, given, environ) == expected


def test_a_vendors_key_goes_to_the_vendor_only() -> None:
    environ = {"DEEPSEEK_API_KEY": "theirs"}
    assert key_of("deepseek", None, environ, base_url="https://api.deepseek.com") == "theirs"
    assert key_of("deepseek", None, environ, base_url="https://elsewhere.example.org/v1") is None
