from email.message import EmailMessage

import pytest

from penstock.loaders.mail.eml import EmlLoader
from penstock.model import Extraction
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts


def mail(subject: str = "年假安排", text: str = "Ten days carry over.\n\n年假可以结转。") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "王伟 <wang@example.org>", "ann@example.org"
    message["Date"] = "Tue, 03 Mar 2026 09:30:00 +0800"
    message.set_content(text)
    return message


def loaded(content: bytes) -> Extraction:
    return read(EmlLoader(), content)


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return EmlLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        message = mail()
        message.add_alternative("<p>Ten days</p>", subtype="html")
        message.add_attachment(b"x", maintype="application", subtype="pdf", filename="规定.pdf")
        return bytes(message)


def test_a_mail_gives_its_head_text_and_attachments() -> None:
    message = mail()
    message["Cc"] = "bob@example.org"
    message.add_alternative("<p>not this</p>", subtype="html")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="规定.pdf")
    found = loaded(bytes(message))
    assert found.title == "年假安排"
    assert texts(found) == [
        "Subject: 年假安排\nFrom: 王伟 <wang@example.org>\nTo: ann@example.org\nCc: bob@example.org\n"
        "Date: 2026-03-03 09:30+08:00",
        "Ten days carry over.",
        "年假可以结转。",
        "Attachments (files of their own, not read here): 规定.pdf",
    ]
    assert found.problems == ()


def test_html_is_read_where_there_is_no_plain_text() -> None:
    message = EmailMessage()
    message.set_content("<h1>Leave</h1><table><tr><td>a<td>b</table>", subtype="html")
    assert texts(loaded(bytes(message))) == ["Leave", "a | b"]


def test_a_forwarded_mail_is_read_too() -> None:
    message = mail("outer", "see below")
    message.add_attachment(mail("inner", "the rule"))
    found = loaded(bytes(message))
    assert "the rule" in found.text
    assert texts(found, "heading") == ["inner"]


@pytest.mark.parametrize(
    ("content", "title", "text"),
    [
        pytest.param(b"Subject: =?gb2312?B?xOq82Q==?= 2026\n\nx", "年假 2026", "x", id="encoded word"),
        pytest.param("Subject: 员工年假规定\n\nx".encode("gb18030"), "员工年假规定", "x", id="bare bytes"),
        pytest.param(
            b"Subject: a\nContent-Type: text/plain; charset=gb2312\n\n" + "员工年假可以结转".encode("gb18030"),
            "a", "员工年假可以结转", id="gb2312 body",
        ),
        pytest.param(
            b"Subject: a\nContent-Type: text/plain; charset=nonsense\nContent-Transfer-Encoding: base64\n\neA==",
            "a", "x", id="unknown charset",
        ),
        pytest.param(b"Subject: a\n b\nDate: yesterday\n\nx", "a b", "x", id="folded subject, no date"),
        pytest.param(b"no head at all", "", "no head at all", id="no head"),
    ],
)  # fmt: skip
def test_mail_as_it_is_found(content: bytes, title: str, text: str) -> None:
    found = loaded(content)
    assert found.title == title
    assert texts(found)[-1] == text


def test_an_empty_mail_is_empty() -> None:
    assert loaded(b"").blocks == ()
