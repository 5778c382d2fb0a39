import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.loaders.detection.decoding import canonical, decode_text, detect_encoding

ZH = "员工年假可以结转十天，请在系统中申请。"
TW = "員工特休假可以遞延十天，請在系統中申請。"
JA = "これは日本語の文章です。漢字も少し入っています。"
KO = "안녕하세요. 한국어 문서입니다. 오늘은 날씨가 좋습니다."
FR = "Déjà vu: l’été à la façade — “très” cher"
RU = "Привет, это русский текст для проверки кодировки. Он должен быть достаточно длинным."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param(ZH, "utf-8", id="utf-8"),
        pytest.param(ZH, "utf-8-sig", id="utf-8 with mark"),
        pytest.param(ZH, "gb18030", id="gb18030"),
        pytest.param("年假申请", "gbk", id="four characters of gbk"),
        pytest.param("价格表\n苹果,3\n香蕉,5\n", "gbk", id="gbk table"),
        pytest.param(TW, "big5", id="big5"),
        pytest.param("島嶼、礁嶼組成", "big5", id="short big5"),
        pytest.param(ZH, "utf-16", id="utf-16 with mark"),
        pytest.param("第1条 Leave 年假\n第2条\n", "utf-16-le", id="utf-16-le without mark"),
        pytest.param("第1条 Leave 年假\n第2条\n", "utf-16-be", id="utf-16-be without mark"),
        pytest.param(ZH, "utf-32", id="utf-32 with mark"),
        pytest.param(JA, "shift_jis", id="shift_jis"),
        pytest.param(JA, "euc_jp", id="euc_jp"),
        pytest.param(KO, "euc_kr", id="euc_kr"),
        pytest.param(FR, "cp1252", id="cp1252"),
        pytest.param("It’s 20 °C – or “more”", "cp1252", id="English with marks"),
        pytest.param(RU, "cp1251", id="cyrillic by the library"),
        pytest.param("", "utf-8", id="empty"),
    ],
)
def test_text_is_read_when_nothing_is_declared(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        pytest.param(FR, "cp1252", "iso-8859-1", id="latin-1 means cp1252"),
        pytest.param("镕", "gbk", "gb2312", id="gb2312 means gb18030"),
        pytest.param(ZH, "utf-8", "gb2312", id="a declaration that the bytes contradict"),
        pytest.param(ZH, "gb18030", "utf-8", id="declared utf-8, is gb18030"),
        pytest.param(ZH, "utf-16-le", "utf-16-le", id="declared utf-16"),
        pytest.param(JA, "iso2022_jp", "iso-2022-jp", id="seven-bit code"),
        pytest.param(ZH, "gb18030", "no-such-charset", id="unknown label"),
        pytest.param(ZH, "gb18030", "base64", id="a codec that gives no text"),
        pytest.param(ZH, "gb18030", "a\0b", id="label with a null"),
    ],
)
def test_a_declared_charset_is_believed_where_it_fits(text: str, encoding: str, declared: str) -> None:
    assert decode_text(text.encode(encoding), declared) == text


@pytest.mark.parametrize(
    ("page", "encoding"),
    [
        pytest.param('<html><head><meta charset="big5"><title>歡迎</title>', "big5", id="meta charset"),
        pytest.param('<meta http-equiv=Content-Type content="text/html; charset=GBK">假', "gbk", id="http-equiv"),
        pytest.param('<?xml version="1.0" encoding="EUC-JP"?><a>漢</a>', "euc_jp", id="xml declaration"),
        pytest.param('<meta charset="utf-16"><p>年假</p>', "utf-8", id="meta utf-16 in a bytewise page"),
    ],
)
def test_the_charset_that_a_head_names_is_used(page: str, encoding: str) -> None:
    assert decode_text(page.encode(encoding)) == page


def test_one_broken_byte_does_not_cost_the_encoding() -> None:
    data = (ZH * 20).encode() + b"\xff" + ZH.encode()
    assert decode_text(data) == ZH * 20 + "\ufffd" + ZH


def test_a_sample_may_end_within_a_character() -> None:
    text = "x" + "年" * 200_000
    assert decode_text(text.encode()) == text


def test_bytes_of_no_encoding_still_give_text() -> None:
    assert isinstance(decode_text(bytes(range(256)) * 3), str)


def test_detected_names_are_known_to_python() -> None:
    assert codecs.lookup(detect_encoding(ZH.encode("gb18030"))).name == "gb18030"


def test_an_unknown_label_has_no_name() -> None:
    assert canonical("") == canonical("x-none") == ""


@given(st.binary(max_size=400), st.sampled_from(["", "utf-8", "gb2312", "utf-16", "utf-7", "idna"]))
def test_decoding_never_fails(data: bytes, declared: str) -> None:
    assert isinstance(decode_text(data, declared), str)


@given(st.text(max_size=200))
def test_utf8_is_read_back(text: str) -> None:
    assert decode_text(b"\xef\xbb\xbf" + text.encode("utf-8", "replace")) == text.encode("utf-8", "replace").decode()
