"""The SVG in a real Chromium, from a file: what a person does with it."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PROFILES, ROOT
from tests.support import inprocess
from tests.support.chromium import Visit, chromium
from tests.support.encoder import Builder

STORE = next(path for path in PROFILES if path.name == "store.cpu.pb.gz")
HOSTILE = [
    "<script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(2)>",
    '"quotes" onload="alert(3)',
    "a'b&amp;c&#1;&nope;\\N\\",
    "line\nbreak\ttab\x01\x1b[31m\x7f",
    "]]></script><script>alert(4)</script>",
    "long" * 25_000,
    "many.dots" * 10_000,
    "é\u202e中文\U0001f600\ufffe",
    "$(touch pwned)`touch pwned`",
    "%s%n{{x}}${alert(5)}",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("svg") / "store.svg"
    assert inprocess.run(["-svg", f"-output={path}", str(STORE)], ROOT).status == 0
    return path


@pytest.fixture
def visit(browser: Browser, picture: Path) -> Iterator[Visit]:
    visit = Visit(browser)
    visit.open(picture)
    yield visit
    visit.close(picture)


def state(page: Page) -> tuple[float, float, float]:
    """(x, y, scale) of the picture."""
    text = page.locator("#viewport").get_attribute("transform") or ""
    x, y, scale = map(float, re.findall(r"-?\d[\d.e-]*", text))
    return x, y, scale


def node(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.locator(f'g.node[data-name="{name}"]')


def shown(page: Page, kind: str) -> set[str]:
    """The names of the nodes of a class."""
    names = page.locator(f"g.node.{kind}[data-name]").evaluate_all("all => all.map(n => n.dataset.name)")
    return set(names)


def point(page: Page, name: str) -> tuple[float, float]:
    at = node(page, name).bounding_box()
    assert at is not None
    return at["x"] + at["width"] / 2, at["y"] + at["height"] / 2


def test_everything_fits_at_first(visit: Visit) -> None:
    box = visit.page.locator("#viewport").bounding_box()
    assert box is not None
    assert box["x"] >= 0 and box["y"] >= 0
    assert box["x"] + box["width"] <= 1200 and box["y"] + box["height"] <= 800


def test_drag(visit: Visit) -> None:
    page = visit.page
    x, y, scale = state(page)
    page.mouse.move(100, 400)
    page.mouse.down()
    page.mouse.move(160, 430, steps=3)
    page.mouse.move(200, 450, steps=3)
    page.mouse.up()
    assert state(page) == pytest.approx((x + 100, y + 50, scale))
    page.mouse.move(300, 300)
    assert state(page)[0] == pytest.approx(x + 100), "the button is up"


def test_a_drag_from_a_node_does_not_choose_it(visit: Visit) -> None:
    page = visit.page
    page.mouse.move(*point(page, "fmt.Sprintf"))
    page.mouse.down()
    page.mouse.move(50, 50, steps=4)
    page.mouse.up()
    assert shown(page, "chosen") == set()


def test_wheel_zooms_at_the_pointer(visit: Visit) -> None:
    page = visit.page
    before, at = state(page), point(page, "fmt.Sprintf")
    page.mouse.move(*at)
    page.mouse.wheel(0, -300)
    page.wait_for_function("s => !document.querySelector('#viewport').getAttribute('transform').endsWith(s)",
                           arg=f"scale({before[2]})")  # fmt: skip
    assert state(page)[2] > before[2] * 1.3
    assert point(page, "fmt.Sprintf") == pytest.approx(at, abs=1)


def test_double_click_and_keyboard(visit: Visit) -> None:
    page = visit.page
    start = state(page)
    page.mouse.dblclick(300, 500)
    assert state(page)[2] == pytest.approx(start[2] * 2)
    page.keyboard.press("0")
    assert state(page) == pytest.approx(start)
    page.keyboard.press("+")
    assert state(page)[2] == pytest.approx(start[2] * 1.3)
    page.keyboard.press("-")
    assert state(page) == pytest.approx(start)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert state(page) == pytest.approx((start[0] + 60, start[1] - 60, start[2]))
    page.get_by_role("button", name="Reset").click()
    assert state(page) == pytest.approx(start)
    page.get_by_role("button", name="+", exact=True).click()
    assert state(page)[2] == pytest.approx(start[2] * 1.3)


def test_pinch(browser: Browser, picture: Path) -> None:
    """Two fingers of a touch screen, half as far apart again."""
    visit = Visit(browser, touch=True)
    page = visit.open(picture)
    before = state(page)
    touch = visit.context.new_cdp_session(page)

    def send(kind: str, *places: tuple[int, int]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (400, 400))
    send("touchStart", (400, 400), (600, 400))
    send("touchMove", (375, 400), (625, 400))
    send("touchMove", (350, 400), (650, 400))
    send("touchEnd")
    after = state(page)
    assert after[2] == pytest.approx(before[2] * 1.5, rel=0.05)
    assert (500 - after[0]) / after[2] == pytest.approx((500 - before[0]) / before[2], abs=15)
    visit.close(picture)


def test_search(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("/")
    page.keyboard.type("^RUNTIME")
    expect(page.locator(".bar span")).to_contain_text("0 of ")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("^runtime|sprintf$")
    names = page.locator("g.node[data-name]").evaluate_all("all => all.map(n => n.dataset.name)")
    wanted = {name for name in names if name.startswith("runtime") or name.lower().endswith("sprintf")}
    assert 2 < len(wanted) < len(names)
    assert shown(page, "found") == wanted
    expect(page.locator(".bar span")).to_have_text(f"{len(wanted)} of {len(names)}")
    expect(page.locator("g.node[data-name]:not(.found)").first).to_have_css("opacity", "0.2")
    expect(page.locator("g.node.found").first).to_have_css("opacity", "1")
    seen = set()
    for _ in wanted:
        page.keyboard.press("Enter")
        (current,) = shown(page, "current")
        assert point(page, current) == pytest.approx((600, 400), abs=2)
        seen.add(current)
    assert seen == wanted
    page.keyboard.type("(")
    expect(page.locator(".bar span")).to_have_text("not a regexp")
    assert shown(page, "found") == set()
    page.keyboard.press("Escape")
    expect(page.locator(".bar span")).to_have_text("")


def test_hover(visit: Visit) -> None:
    page, tip = visit.page, visit.page.locator(".tip")
    expect(tip).not_to_be_visible()
    for name in ("fmt.Sprintf", "main.(*Cache[go.shape.string,go.shape.int]).GetOrLoad"):
        page.mouse.move(*point(page, name))
        expect(tip).to_contain_text(name)
        for value in ("flat", "cum"):
            expect(tip).to_contain_text(f"{value} {node(page, name).get_attribute('data-' + value)}")
        box = tip.bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1200 and box["y"] + box["height"] <= 800
    # The middle of an arrow into a node.
    edge = node(page, "fmt.Sprintf").evaluate(
        """node => {
            const path = document.querySelector(`g.edge[data-to=${node.dataset.id}] path`);
            const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
            return [at.x, at.y];
        }"""
    )
    page.mouse.move(*edge)
    expect(tip).to_contain_text(re.compile(r"\S+ → fmt\.Sprintf"))
    expect(tip).to_contain_text(re.compile(r"\d+s$"))
    page.mouse.move(3, 500)
    expect(tip).not_to_be_visible()


def test_click_shows_callers_and_callees(visit: Visit) -> None:
    page = visit.page
    page.mouse.click(*point(page, "fmt.Sprintf"))
    assert shown(page, "chosen") == {"fmt.Sprintf"}
    # What -peek says of the edges into and out of the node that are shown.
    dot = inprocess.run(["-dot", str(STORE)], ROOT).stdout.decode()
    number = re.search(r'^(N\d+) \[label="fmt\\nSprintf', dot, re.MULTILINE)
    assert number is not None
    names = dict(re.findall(r'^(N\d+) \[label=.*tooltip="(.*) \(\S+\)" color', dot, re.MULTILINE))
    edges = re.findall(r"^(N\d+) -> (N\d+) \[label", dot, re.MULTILINE)
    assert shown(page, "caller") == {names[a] for a, b in edges if b == number[1]} - {""}
    assert shown(page, "callee") == {names[b] for a, b in edges if a == number[1] and b in names}
    assert shown(page, "caller") and shown(page, "callee")
    assert page.locator("g.edge.caller").count() == sum(b == number[1] for _, b in edges)
    other = page.locator("g.node[data-name]:not(.caller):not(.callee):not(.chosen)").first
    expect(other).to_have_css("opacity", "0.25")  # waits: it fades
    page.mouse.click(*point(page, "fmt.Sprintf"))
    assert shown(page, "chosen") == set() == shown(page, "caller")
    node(page, "fmt.Sprintf").focus()
    page.keyboard.press("Enter")
    assert shown(page, "chosen") == {"fmt.Sprintf"}
    page.mouse.click(5, 500)
    assert shown(page, "chosen") == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_readable_in_both_themes(browser: Browser, picture: Path, theme: str) -> None:
    """Text stands out from its box and boxes from the page, and heat is still red: measured on the pixels."""
    visit = Visit(browser, "dark" if theme == "dark" else "light")
    page = visit.open(picture)
    page.mouse.move(*point(page, "main.main.func1.1"))
    for _ in range(6):
        page.mouse.wheel(0, -300)
    page.mouse.move(3, 3)
    page.wait_for_timeout(100)
    at = node(page, "main.main.func1.1").bounding_box()
    assert at is not None
    image = page.screenshot(clip={"x": at["x"], "y": at["y"], "width": at["width"], "height": at["height"]})
    levels, reds = page.evaluate(
        """async data => {
            const image = new Image(); image.src = "data:image/png;base64," + data; await image.decode();
            const canvas = document.createElementNS("http://www.w3.org/1999/xhtml", "canvas");
            canvas.width = image.width; canvas.height = image.height;
            const draw = canvas.getContext("2d"); draw.drawImage(image, 0, 0);
            const pixels = draw.getImageData(0, 0, image.width, image.height).data;
            const levels = [], reds = [], rise = (a, b) => a - b;
            for (let i = 0; i < pixels.length; i += 4) {
                levels.push(0.2126 * pixels[i] + 0.7152 * pixels[i + 1] + 0.0722 * pixels[i + 2]);
                reds.push(pixels[i] - pixels[i + 1]);
            }
            return [levels.sort(rise), reds.sort(rise)];
        }""",
        base64.b64encode(image).decode(),
    )
    box = levels[len(levels) // 2]
    text = levels[len(levels) // 100] if theme == "light" else levels[-len(levels) // 100]
    assert abs(text - box) > 120
    assert (box > 180) == (theme == "light")
    assert reds[-len(reds) // 200] > 80, "the border of a hot box"
    visit.requests = [url for url in visit.requests if not url.startswith("data:")]
    visit.close(picture)


def hostile_profile(path: Path) -> None:
    """A chain of calls of all the names; also in tags, in the binary's name and in a comment."""
    builder = Builder([("cpu", "count")])
    builder.mapping(1, 0x1000, 0x2000, file="/bin/--><script>alert(6)</script>")
    for number, name in enumerate(HOSTILE, 1):
        builder.function(number, name, file=f"/src/{name[:50]}")
        builder.location(number, [(number, 1, 0)], mapping=1, address=0x1000 + number)
    stack = list(range(1, len(HOSTILE) + 1))
    for depth in range(len(stack)):
        builder.sample(stack[depth:], [10], [("key", HOSTILE[depth])])
    builder.header(comments=HOSTILE[:3])
    path.write_bytes(builder.encode())


@pytest.mark.parametrize("embedded", [False, True])
def test_hostile_names(browser: Browser, tmp_path: Path, embedded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a name runs, loads or breaks the picture; each can still be hovered."""
    if embedded:
        monkeypatch.setattr("shutil.which", lambda name: None)
    source, path = tmp_path / "hostile.pb", tmp_path / "hostile.svg"
    hostile_profile(source)
    done = inprocess.run(["-svg", "-nodefraction=0", f"-output={path}", str(source)], tmp_path)
    assert done.status == 0, done.stderr
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    visit = Visit(browser)
    page = visit.open(path)
    assert page.locator("g.node[data-name]").count() == len(HOSTILE)
    drawn = page.locator("g.node[data-name]").all()
    names = {element.get_attribute("data-name") or "" for element in drawn}
    assert any(len(name) >= 100_000 for name in names), "the whole name is there"
    for element in drawn:
        element.focus()
        element.press("Enter")
        element.press("Enter")
    assert not page.locator(".selecting").count()
    assert page.locator("script").count() == 1
    assert page.evaluate("document.querySelectorAll('img, iframe, [onload], [onerror]').length") == 0
    visit.close(path)
    left = {p.name for p in tmp_path.iterdir()} - ({".cache"} if embedded else set())  # the compiled module's
    assert left == {"hostile.pb", "hostile.svg"}
