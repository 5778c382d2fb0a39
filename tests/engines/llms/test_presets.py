"""The table of presets can be used as it is."""

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


@pytest.mark.parametrize("preset", [pytest.param(preset, id=name) for name, preset in presets().items()])
def test_each_can_be_called(preset: Preset) -> None:
    address = urlsplit(preset.base_url)
    local = address.hostname == "localhost"
    assert address.scheme == ("http" if local else "https")
    assert not preset.base_url.endswith("/")
    assert preset.needs_key is not local
    assert preset.key_variable == preset.key_variable.upper()
    assert 1024 < preset.context_tokens <= 2_000_000
    assert preset.docs.startswith("https://")
    assert date(2026, 1, 1) < preset.checked
    assert local or preset.model
    assert OpenAILLM(preset=preset.name, model=preset.model or "m").context_tokens == preset.context_tokens


def test_a_misspelt_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"no preset named 'deepsek'.*'deepseek'"):
        preset("deepsek")


@pytest.mark.parametrize(
    ("name", "own_key", "environ", "expected"),
    [
        pytest.param("deepseek", None, {"DEEPSEEK_API_KEY": "theirs"}, "theirs", id="vendor's variable"),
        pytest.param("deepseek", "mine", {"DEEPSEEK_API_KEY": "theirs"}, "mine", id="given first"),
        pytest.param("deepseek", None, {"OPENAI_API_KEY": "other"}, None, id="never another vendor's"),
        pytest.param("ollama", None, {"": "odd"}, None, id="none needed"),
        pytest.param("", "mine", {}, "mine", id="no preset"),
    ],
)
def test_finds_the_key(name: str, own_key: str | None, environ: dict[str, str], expected: str | None) -> None:
    assert key_of(name, own_key, environ) == expected


def test_a_vendors_key_goes_to_the_vendor_only() -> None:
    environ = {"DEEPSEEK_API_KEY": "theirs"}
    assert key_of("deepseek", None, environ, base_url="https://api.deepseek.com") == "theirs"
    assert key_of("deepseek", None, environ, base_url="https://elsewhere.example.org/v1") is None
