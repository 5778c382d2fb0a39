"""Makes the sample documents in `examples/handbook`: the papers of an invented company, in English and in Chinese.

    python examples/make_handbook.py

Run by hand when the samples shall change; the files it makes are part of the repository.
"""

import io
from pathlib import Path

import pymupdf
from pptx import Presentation
from pptx.util import Inches

FOLDER = Path(__file__).parent / "handbook"

POLICY = """
<h1>Leave and Attendance Policy</h1>
<p>This policy applies to all employees of Northwater Instruments from their first working day. It is reviewed every
January by the People team.</p>
<h2>Annual leave</h2>
<p>Full-time employees receive 15 days of paid annual leave in a calendar year. Leave is requested in the staff portal at
least five working days before it begins, and is approved by the line manager.</p>
<p>Up to 8 unused days of annual leave carry over into the next year. Days that are carried over must be taken before 31
March; after that date they expire and are not paid out.</p>
<table>
<tr><th>Years of service</th><th>Days of annual leave</th><th>Notice</th></tr>
<tr><td>0 to 4</td><td>15</td><td>5 working days</td></tr>
<tr><td>5 to 9</td><td>18</td><td>5 working days</td></tr>
<tr><td>10 and more</td><td>22</td><td>10 working days</td></tr>
</table>
<h2>Sick leave</h2>
<p>An employee who falls ill tells the line manager before 10:00 on the first day. A medical certificate is needed from the
third day of absence. Sick pay is the full salary for up to 30 days in a year.</p>
<h2>Parental leave</h2>
<p>Parents may take 16 weeks of paid leave within the first year after a birth or an adoption. The weeks may be divided
into at most three periods.</p>
<h2>Working from home</h2>
<p>Teams may work from home on two days a week. Laboratory and service staff agree on their days with the site
manager.</p>
"""

MANUAL = """
<h1>员工手册</h1>
<p>本手册适用于北水仪器有限公司的全体员工，自入职之日起生效，由人力资源部每年一月修订。</p>
<h2>第一章 年假</h2>
<p>正式员工每个自然年享有十五天带薪年假。申请年假须提前五个工作日在员工门户提交申请，经直属主管批准后生效。</p>
<p>未休完的年假最多可结转八天至下一年度，结转的年假须在三月三十一日之前使用，逾期作废，不折算工资。</p>
<h2>第二章 报销</h2>
<p>差旅费用应在返回后十个工作日内报销。住宿标准为一线城市每晚六百元，其他城市每晚四百元。报销单须附发票原件，由部门经理和财务部审核。</p>
<h2>第三章 信息安全</h2>
<p>员工不得将客户数据复制到个人设备。密码长度不少于十二位，每一百八十天更换一次。发现安全事件应在一小时内报告信息技术部，电话 8010。</p>
"""

NOTICE = """
<h1>Fire Drill Notice</h1>
<p>The yearly fire drill takes place on 14 October at 15:00. Leave the building by the nearest stairway and meet at
assembly point B, next to the bicycle shed. Lifts are out of service during the drill.</p>
<h1>消防演习通知</h1>
<p>年度消防演习定于十月十四日下午三点举行。请从最近的楼梯离开大楼，在自行车棚旁的集合点集合。演习期间电梯停用。</p>
"""

CARD = """
<h1>Visitor Wi-Fi</h1>
<p>Network: NORTHWATER-GUEST</p>
<p>The password changes every Monday. Ask the reception desk, extension 8001.</p>
<p>访客无线网络：密码每周一更换，请向前台索取。</p>
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>IT Support: common errors</title></head>
<body><nav><a href="/">Home</a> <a href="/it">IT</a> <a href="/contact">Contact</a></nav>
<article><h1>IT Support: common errors</h1>
<p>This page lists the errors that are reported to the help desk most often, with what to do about each.</p>
<h2>Error 0x80070005: access is denied</h2>
<p>The error 0x80070005 appears when an update is installed without administrator rights. Restart the computer, connect to
the company network, and run the update again from the Software Centre. If the error remains, send the log file to the
help desk.</p>
<h2>Error 0x8007000E: not enough memory</h2>
<p>Close other programs and try again. Machines with less than 8 GB of memory are replaced on request.</p>
<h2>打印机脱机</h2>
<p>如果打印机显示脱机，请先检查网线，然后在控制面板中删除该打印机并重新添加。仍无法解决时请拨打 8010。</p>
</article><footer>Northwater Instruments, internal use</footer></body></html>
"""

SLIDES = (
    (
        "Welcome to Northwater",
        ("We build water-quality instruments in Rotterdam and Suzhou.", "Your first week: badge, laptop, safety tour."),
        "Tell new colleagues that the badge office closes at 16:00.",
    ),
    (
        "Your first day",
        ("Collect the badge at the reception desk at 9:00.", "The safety tour starts at 11:00 in building C."),
        "",
    ),
    (
        "新员工须知",
        ("入职当天九点到前台领取工牌。", "试用期为三个月，期满前由主管进行考核。"),
        "请提醒新同事参加安全培训。",
    ),
)

STYLE = """* {font-family: sans-serif} p, td, th {font-size: 11px} h1 {font-size: 22px} h2 {font-size: 15px}
td, th {border: 1px solid black; padding: 3px}"""
MARGINS = (40, 50, -40, -50)


def pages_of(html: str) -> pymupdf.Document:
    """The text as a PDF of A5 pages."""
    out = io.BytesIO()
    writer = pymupdf.DocumentWriter(out)
    story, page = pymupdf.Story(html=html, user_css=STYLE), pymupdf.paper_rect("a5")
    more = True
    while more:
        device = writer.begin_page(page)
        more, _ = story.place(page + MARGINS)
        story.draw(device)
        writer.end_page()
    writer.close()
    return pymupdf.open("pdf", out.getvalue())


def with_running_lines(document: pymupdf.Document, header: str) -> pymupdf.Document:
    """The document with a header and a page number on each page."""
    for page in document:
        page.insert_text((40, 30), header, fontsize=8)
        page.insert_text((190, page.rect.height - 20), f"Page {page.number + 1} of {len(document)}", fontsize=8)
    return document


def scanned(document: pymupdf.Document) -> pymupdf.Document:
    """The document as pictures of its pages, as a scanner makes it."""
    scan = pymupdf.open()
    for page in document:
        picture = page.get_pixmap(dpi=150, colorspace=pymupdf.csGRAY)
        scan.new_page(width=page.rect.width, height=page.rect.height).insert_image(
            page.rect, stream=picture.tobytes("jpeg", jpg_quality=70)
        )
    return scan


def save(document: pymupdf.Document, name: str, title: str) -> None:
    """Writes a PDF that is the same at every run."""
    document.set_metadata({"title": title})
    document.subset_fonts()
    document.save(FOLDER / name, garbage=4, deflate=True, no_new_id=True)


def slides() -> None:
    """Writes the deck, with a table on its last slide and notes."""
    deck = Presentation()
    for title, lines, notes in SLIDES:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Whom to call"
    rows = (("Desk", "Extension"), ("Reception", "8001"), ("IT help desk", "8010"), ("Site manager", "8020"))
    table = slide.shapes.add_table(len(rows), 2, Inches(1), Inches(2), Inches(6), Inches(2)).table
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    deck.save(str(FOLDER / "onboarding.pptx"))


def main() -> None:
    """Makes every sample."""
    FOLDER.mkdir(exist_ok=True)
    save(
        with_running_lines(pages_of(POLICY), "Northwater Instruments - Leave Policy 2026"),
        "leave-policy.pdf",
        "Leave and Attendance Policy",
    )
    save(pages_of(MANUAL), "员工手册.pdf", "员工手册")
    save(scanned(pages_of(NOTICE)), "scanned notice.pdf", "")
    pages_of(CARD)[0].get_pixmap(dpi=130, clip=(0, 0, 420, 240)).save(FOLDER / "wifi-card.png")
    (FOLDER / "it-support.html").write_text(PAGE, encoding="utf-8")
    slides()


if __name__ == "__main__":
    main()
