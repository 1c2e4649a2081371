"""The page of trend in a real browser: drawn, clickable, escaped, without a single request."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.conftest import ROOT
from tests.support import inprocess
from tests.support.chromium import Visit, chromium
from tests.support.encoder import Builder

EVIL = [
    "main.</script><script>alert(1)</script>",
    'main.quote"onmouseover="alert(2)',
    "main.<img src=x onerror=alert(3)>",
    "main.back\\slash\u2028line",
]


def snapshots(directory: Path, restart: bool = True) -> None:
    """Twenty heap profiles whose names are hostile; the process starts anew after twelve."""
    directory.mkdir()
    for index in range(20):
        made = Builder([("alloc_space", "bytes"), ("inuse_space", "bytes")])
        made.mapping(1, 0x1000, 0x9000)
        age = index if index < 12 or not restart else index - 12
        for place, name in enumerate([*EVIL, "main.constant"], 1):
            made.function(place, name, file="/src/main.go")
            made.location(place, [(place, 1, 0)], 1, 0x1000 + place)
            held = 9_000_000 if name == "main.constant" else 1_000_000 + age * 100_000 * place
            made.sample([place], [10_000_000 * (age + 1), held])
        made.header(time=(1_700_000_000 + 60 * index) * 10**9, period=1)
        (directory / f"{index:02d}.pb.gz").write_bytes(gzip.compress(made.encode()))


def test_the_page_in_chromium(tmp_path: Path) -> None:
    snapshots(tmp_path / "s")
    page = tmp_path / "page.html"
    done = inprocess.run(["trend", "-html", f"-output={page}", str(tmp_path / "s")], ROOT)
    assert done.status == 0, done.stderr
    with chromium() as browser:
        visit = Visit(browser)
        tab = visit.open(page)
        assert tab.locator("path.curve").count() == 4
        assert tab.locator("line.restart").count() == 1
        assert tab.locator("tbody tr").count() == 6
        names = [" ".join(text.split()) for text in tab.locator("tbody summary").all_inner_texts()]
        assert {" ".join(name.split()) for name in EVIL} < set(names)
        # A click on a box draws the constant too, and the scale makes room.
        before = tab.locator("path.curve").first.get_attribute("d")
        tab.locator("tr", has_text="main.constant").locator("input").check()
        assert tab.locator("path.curve").count() == 5
        assert tab.locator("path.curve").first.get_attribute("d") != before
        # The stack unfolds; the pointer tells the values of a moment.
        tab.locator("tbody summary").first.click()
        assert "since the start" in tab.locator("tbody pre").first.inner_text()
        tab.locator("figure svg").hover(position={"x": 400, "y": 100})
        assert "main.constant" in tab.locator("#tip").inner_text()
        tab.locator("tbody tr").first.hover()
        assert tab.locator("path.curve.bold").count() == 1
        paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        visit.close(page)
        dark = Visit(browser, "dark")
        assert dark.open(page).evaluate("getComputedStyle(document.body).backgroundColor") != paper
        dark.close(page)


def test_names_cannot_end_the_data(tmp_path: Path) -> None:
    snapshots(tmp_path / "s", restart=False)
    text = inprocess.run(["trend", "-html", str(tmp_path / "s")], ROOT).stdout.decode()
    assert text.count("</script>") == 2
    assert "<img" not in text
    assert "Content-Security-Policy" in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
