"""What a real terminal shows of texts that others wrote: nothing steers it, and nothing poses as a line of ours."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.output.escaping import harmless, json_text, one_line
from penstock.cli.output.text_rows import Rows
from penstock.testing.doubles.llm_server import ScriptedServer, answer
from penstock.testing.doubles.plugins import use_little_model
from tests.cli.test_cli_processes import LITTLE
from tests.cli.test_cli_streaming import FIRST, options

COLUMNS, ROWS = 80, 400
BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
STYLE = re.compile("\x1b\\[[0-9;]*m")
"""The escape sequences that our own styles are made of."""
DRAWING = re.compile("\x1b\\[(?:[0-9;]*[mAKG]|\\?25[lh])")
"""Those, and what rich moves the cursor with while a bar is drawn."""
HOSTILE = {
    "leave\n9. FORGED hit  0.999.md": "# Leave\n\nTen days of leave carry over into the next year.\n",
    "clear\x1b]0;title\x07\x1b[2J.md": "# Gate\n\nThe gates of the upper pond are opened at six.\n",
    "turned\u202etxt.\u200b\U000e0041\u2028FORGED.md": "# Ponds\n\nThere are three ponds above the mill.\n",
    "a name that goes on " + "FORGED" * 30 + ".md": "# Mill\n\nThe mill grinds corn below the ponds.\n",
    "table.md": "# Forged\n\nWater wheels turn.\n\n```\n9. FORGED hit  0.999\nCitations\n```\n\n"
    + "wheel " * 80
    + "\n",
    "broken\nerror: FORGED.pdf": "%PDF-1.7\nnothing of what a PDF needs\n",
}
"""Names and texts of files."""

pytestmark = pytest.mark.usefixtures("run")


def dangerous(text: str) -> list[str]:
    """What steers a terminal or cannot be seen, less line feeds, tabs and the ends of lines that a terminal makes."""
    found = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")}
    return sorted(found - set("\n\r\t"))


class Terminal:
    """A process on a pseudo-terminal of 80 columns, and what is on its screen when it has ended."""

    def __init__(self, *arguments: object) -> None:
        main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        command = [sys.executable, "-c", LITTLE, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=child, stderr=child, env=environment | {"TERM": "xterm-256color"})
        os.close(child)
        self.bytes = b""
        with contextlib.suppress(OSError):  # the end, as Linux says it
            while piece := os.read(main, 65536):
                self.bytes += piece
        os.close(main)
        self.code = process.wait()
        screen = pyte.Screen(COLUMNS, ROWS)
        pyte.Stream(screen).feed(self.bytes.decode())
        self.rows = [row.rstrip() for row in screen.display]
        self.title = screen.title

    @property
    def text(self) -> str:
        """What was sent, without our own styles."""
        return DRAWING.sub("", self.bytes.decode())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, text in HOSTILE.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def filled(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Terminal]:
    """A home with what can be read of it, and the terminal that it was read on."""
    home = tmp_path_factory.mktemp("terminal") / "home"
    with pytest.MonkeyPatch.context() as patched:
        use_little_model(patched, home.parent / "little")
        return home, Terminal("ingest", hostile, "--home", home)


def held(terminal: Terminal) -> None:
    """Nothing steered the terminal, and no row begins as if it were ours."""
    assert dangerous(terminal.text) == []
    assert terminal.title == ""
    forged = [row for row in terminal.rows if re.match(r"[FORGED]{4}|9\. |error: FORGED|Citations.*FORGED", row)]
    assert forged == []


def shown(terminal: Terminal) -> str:
    """All that the rows say, without blanks: where a row ends depends on how long the folder's name is."""
    return "".join("".join(terminal.rows).split())


def test_ingest_and_its_bar(filled: tuple[Path, Terminal]) -> None:
    _, terminal = filled
    assert terminal.code == 3
    held(terminal)
    assert r"broken\nerror:FORGED.pdf" in shown(terminal)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("search", "leave gates ponds wheels mill", "--trace", "--k", "10"), id="search"),
        pytest.param(("ask", "How many days of leave carry over?"), id="ask"),
        pytest.param(("prompt", "Which water wheels turn?"), id="prompt"),
        pytest.param(("status",), id="status"),
        pytest.param(("doctor",), id="doctor"),
        pytest.param(("collections",), id="collections"),
        pytest.param(("show", "no such\nerror: FORGED\x1b[2J\u202e\x9b"), id="an error"),
        pytest.param(("search", "x", "--collection", "no\nFORGED\x1b[2J"), id="an unknown collection"),
    ],
)
def test_commands_that_look(arguments: Sequence[str], filled: tuple[Path, Terminal]) -> None:
    terminal = Terminal(*arguments, "--home", filled[0])
    assert any(terminal.rows)
    held(terminal)


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.endswith(".md")])
def test_show(name: str, filled: tuple[Path, Terminal], hostile: Path) -> None:
    terminal = Terminal("show", hostile / name, "--home", filled[0])
    assert terminal.code == 0
    held(terminal)


def test_what_a_sync_would_do(hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "penstock.toml").write_text(f"[collections.c]\nsources = [{{ path = '{hostile}' }}]\n")
    monkeypatch.setenv("PENSTOCK_TRUST", str(tmp_path / "penstock.toml"))
    terminal = Terminal("sync", "--dry-run", "--home", tmp_path / "home")
    assert r"leave\n9.FORGEDhit" in shown(terminal)
    held(terminal)


@pytest.mark.parametrize("options", [("--yes",), ("--list",), ("--revoke",)])
def test_a_folder_from_elsewhere_that_asks_for_trust(options: Sequence[str], tmp_path: Path) -> None:
    folder = tmp_path / "cloned\nFORGED\x1b]0;title\x07\u202e"
    folder.mkdir()
    (folder / "penstock.toml").write_text('[llm]\nbase_url = "http://a/\\u001b[2J\\nFORGED"\n')
    Terminal("trust", folder / "penstock.toml", "--yes")
    terminal = Terminal("trust", *(() if "--list" in options else (folder / "penstock.toml",)), *options)
    assert any("cloned" in row for row in terminal.rows)
    held(terminal)


def test_a_model_that_sends_an_escape_sequence_in_two_pieces(filled: tuple[Path, Terminal]) -> None:
    pieces = (
        FIRST + " \x1b",
        "]0;title\x07 and \x1b[",
        "2J so on.\n\nCita",
        "tions FORGED\nFORGED \x9b",
        "31m\u202e end.",
    )
    with ScriptedServer(answer(*pieces)) as server:
        terminal = Terminal("ask", "How many days of leave carry over?", *options(server), "--home", filled[0])
    assert terminal.code == 0
    assert terminal.rows[0].startswith("  Ten days of leave")
    held(terminal)
    assert [row for row in terminal.rows if row.startswith("Citations")] == ["Citations"]


def test_a_text_that_fills_a_row_does_not_go_on_at_the_margin(filled: tuple[Path, Terminal]) -> None:
    rows = Terminal("search", "wheel wheels", "--k", "1", "--home", filled[0]).rows
    wheels = [row for row in rows if "wheel wheel" in row]
    assert len(wheels) > 3
    assert all(row.startswith("   ") for row in wheels)


@pytest.mark.parametrize("command", [("search", "ponds"), ("status",), ("ask", "How many ponds are there?")])
def test_json_holds_nothing_that_steers(command: Sequence[str], filled: tuple[Path, Terminal]) -> None:
    sent = Terminal(*command, "--json", "--home", filled[0])
    assert dangerous(sent.bytes.decode()) == []
    assert json.loads(sent.bytes)


# --- The definition itself ---------------------------------------------------------------------------------------


def test_every_control_and_format_character_is_escaped() -> None:
    for number in range(sys.maxunicode + 1):
        char = chr(number)
        if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") or 0xE0000 <= number <= 0xE0FFF:
            assert dangerous(json_text(char)) == [], hex(number)
            assert harmless(f"a{char}b").isascii() or char in SEEN, hex(number)


SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that draw a sign, in Arabic, Syriac and Kaithi."""


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Z", "C")) | st.sampled_from('\\"/\x7f\x9b\u202e\u200d')))
def test_json_means_the_same(text: str) -> None:
    whole = re.sub("[\ud800-\udbff](?=[\udc00-\udfff])", "", text)  # two halves side by side are one character in JSON
    for value in (whole, {whole: [whole, 1.5, None]}):
        printed = json_text(value)
        assert json.loads(printed) == value
        assert dangerous(printed) == []


def test_json_leaves_letters_readable() -> None:
    assert json_text("年假 – café 👍") == '"年假 – café 👍"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f", id="emoji"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="Persian"),
        pytest.param("क्\u200dष", "क्\u200dष", id="Hindi"),
        pytest.param("pass\u200dword\u200c", r"pass\u200dword\u200c", id="joiners without a use"),
        pytest.param("x\ufe0f\U000e0101", r"x\ufe0f\U000e0101", id="selectors without a use"),
        pytest.param("\U000e0068\U000e0069", r"\U000e0068\U000e0069", id="tags"),
        pytest.param("\ud83d", r"\ud83d", id="half of a pair"),
        pytest.param("a\u00adb\u2060c\ufeff", r"a\xadb\u2060c\ufeff", id="zero width"),
    ],
)
def test_a_person_sees_what_is_not_in_its_place(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("end", BREAKS)
def test_one_line_is_one_line(end: str) -> None:
    assert one_line(f"Title {end}{end} 2. FORGED") == "Title 2. FORGED"


@given(st.lists(st.text(alphabet="ab 年é\n\t\x1b\u2028👍"), max_size=6), st.sampled_from([None, 12, 40]))
def test_every_row_of_a_text_is_indented_however_it_comes(pieces: list[str], width: int | None) -> None:
    rows, whole = Rows(indent="   ", width=width), Rows(indent="   ", width=width)
    laid_out = "".join(map(rows.laid_out, pieces))
    assert all(row.startswith("   ") for row in laid_out.split("\n") if row)
    assert laid_out == whole.laid_out("".join(pieces))
