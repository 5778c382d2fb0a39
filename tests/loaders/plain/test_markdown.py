import pytest

from penstock.loaders.plain.markdown import MarkdownLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts

SAMPLE = """---
title: "Leave handbook"
author: HR
---
# Leave

Ten days *carry over*,
see [the rules](x.md).

## 如何申请

1. ask
2. go
   - pack

| a | b |
|---|---|
| 1 | `2` |

```python
def f():
    return "|"
```
"""


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return MarkdownLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return SAMPLE.encode()


def test_markdown_keeps_its_structure() -> None:
    found = read(MarkdownLoader(), SAMPLE.encode())
    assert found.title == "Leave handbook"
    assert [(block.kind, block.level) for block in found.blocks] == [
        ("heading", 1), ("paragraph", 0), ("heading", 2), ("list", 1), ("table", 0), ("code", 0),
    ]  # fmt: skip
    assert texts(found)[1] == "Ten days carry over, see the rules."
    assert texts(found, "list") == ["1. ask\n2. go\n  - pack"]
    assert texts(found, "table") == ["a | b\n1 | 2"]
    assert texts(found, "code") == ['def f():\n    return "|"']


@pytest.mark.parametrize(
    ("text", "title", "read_as"),
    [
        pytest.param("+++\ntitle = 'T'\n+++\nx", "T", "x", id="toml front matter"),
        pytest.param("---\nno: title\n---\n# H", "H", "H", id="front matter without title"),
        pytest.param("---\n\nx", "", "x", id="a rule is no front matter"),
        pytest.param("# H\r\n\r\nx\r\n", "H", "H\n\nx", id="Windows line ends"),
        pytest.param("a <b>c</b> <script>d</script>", "", "a c", id="html inside"),
        pytest.param("", "", "", id="empty"),
    ],
)
def test_title_and_text(text: str, title: str, read_as: str) -> None:
    found = read(MarkdownLoader(), text.encode())
    assert (found.title, found.text) == (title, read_as)


def test_the_option_is_part_of_the_fingerprint() -> None:
    assert MarkdownLoader(encoding="big5").fingerprint != MarkdownLoader().fingerprint
    assert read(MarkdownLoader(encoding="big5"), "# 年假".encode("big5")).title == "年假"
