"""Which script and language a text is in."""

import pytest

from penstock.analysis.scripts import SAMPLE, is_cjk, language_of, script_shares


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("Ten days of leave carry over to the next year.", "en", id="english"),
        pytest.param("年假可以结转到下一年。", "zh", id="simplified"),
        pytest.param("年假可以結轉到下一年。", "zh", id="traditional"),
        pytest.param("使用 PyTorch 训练 Transformer 模型的方法", "zh", id="chinese with english terms"),
        pytest.param("The word 水 means water, and it is used in many names.", "en", id="english with a chinese word"),
        pytest.param("これは日本語の文章です。", "ja", id="japanese"),
        pytest.param("휴가는 다음 해로 이월됩니다.", "ko", id="korean"),
        pytest.param("Der Urlaub wird nicht auf das nächste Jahr übertragen.", "de", id="german"),
        pytest.param("Les congés ne sont pas reportés sur une autre année par la direction.", "fr", id="french"),
        pytest.param("Los días de vacaciones no se transfieren al año que viene para el empleado.", "es", id="spanish"),
        pytest.param(
            "As férias não são transferidas para o ano seguinte, mas podem ser pagas pelo grupo.", "pt", id="portuguese"
        ),
        pytest.param(
            "Le ferie non sono riportate nella busta, ma si possono usare con il permesso.", "it", id="italian"
        ),
        pytest.param("De dagen worden niet overgedragen naar het volgende jaar en vervallen dan.", "nl", id="dutch"),
        pytest.param("Отпуск переносится на следующий год.", "ru", id="russian"),
        pytest.param("Відпустка переноситься на наступний рік і її використовують.", "uk", id="ukrainian"),
        pytest.param("الإجازة تنتقل إلى السنة القادمة", "ar", id="arabic"),
        pytest.param("این گزارش برای پژوهشگران چاپ می‌شود", "fa", id="persian"),
        pytest.param("Η άδεια μεταφέρεται", "el", id="greek"),
        pytest.param("", "und", id="empty"),
        pytest.param("12 345 --", "und", id="no letters"),
        pytest.param("水", "und", id="one character"),
        pytest.param("Annual Report", "und", id="too little"),
        pytest.param("a | b\ni | e\n a, e, i, o", "und", id="single letters"),
        pytest.param("ꦧꦱꦗꦮ ꦧꦱꦗꦮ ꦧꦱꦗꦮ", "und", id="a script that is not known"),
        pytest.param("ж", "und", id="one cyrillic letter"),
        pytest.param("Intro. " + "水从水库流下。" * SAMPLE, "zh", id="longer than the sample"),
    ],
)
def test_language_of(text: str, language: str) -> None:
    assert language_of(text) == language


def test_script_shares_add_up_and_come_largest_first() -> None:
    shares = script_shares("PDF 文件 версия かな 한 ქ")
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares) == ["cyrillic", "latin", "han", "kana", "hangul", "other"]
    assert script_shares("123") == {}


@pytest.mark.parametrize(
    ("char", "cjk"), [("水", True), ("か", True), ("ー", True), ("한", False), ("a", False), ("", False)]
)
def test_is_cjk(char: str, cjk: bool) -> None:
    assert is_cjk(char) is cjk
