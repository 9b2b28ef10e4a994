"""The report in a real browser: it sorts, filters, draws and links, without a word on the console.

Needs Chromium (`apt-get install chromium`) and Playwright's Python package (`pip install playwright`, without
the browsers that it offers).
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from xadbench.evaluation.report import report as write_report
from xadbench.evaluation.report.pages import PAGES

playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}: apt-get install chromium"
)
PHONE = {"width": 360, "height": 740}
AXE = os.environ.get("XADBENCH_AXE")  # a copy of axe.min.js; its licence is not ours, so none is kept here


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(finished_run, tmp_path_factory) -> Path:
    return write_report(finished_run, tmp_path_factory.mktemp("pages")).parent


@contextmanager
def watched(chromium, **options):
    """A page, and what must not be: messages on the console, errors, dialogs, requests but for files."""
    page = chromium.new_page(**options)
    unwanted = []
    page.on("console", lambda message: unwanted.append(message.text))
    page.on("pageerror", lambda error: unwanted.append(str(error)))
    page.on("dialog", lambda dialog: (unwanted.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:")) else unwanted.append(request.url),
    )
    yield page
    assert unwanted == []
    page.close()


def every_page(report):
    return [report / name for name in PAGES] + sorted((report / "tables").iterdir())


def first_rows(page, n=3):
    names = page.locator("section:not([hidden]) >> nth=0").locator("tbody th").all_inner_texts()
    return [name.split()[0] for name in names[:n]]


def test_every_page_opens_without_a_word_and_its_links_lead_somewhere(chromium, report):
    with watched(chromium) as page:
        for path in every_page(report):
            page.goto(path.as_uri())
            assert page.locator("h1").count() == 1
            for link in page.locator("a[href]").all():
                target = link.evaluate("link => link.href")
                assert (
                    target.startswith(path.as_uri() + "#") or Path(target.removeprefix("file://")).is_file()
                )


def test_links_are_followed_to_a_data_set_and_back(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "index.html").as_uri())
        page.get_by_role("link", name="Data sets").click()
        page.get_by_role("link", name="<script>alert(1)</script>").click()
        assert page.locator("h1").inner_text() == "<script>alert(1)</script>"
        page.get_by_role("link", name="Leaderboard").click()
        assert page.url.endswith("index.html")


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "index.html").as_uri())
        assert first_rows(page) == ["good", "fair", "poor_&co"]
        heading = page.locator("section:not([hidden]) >> nth=0").get_by_role("button", name="seconds")
        heading.click()
        assert first_rows(page) == ["poor_&co", "good", "fair"]
        assert heading.locator("..").get_attribute("aria-sort") == "ascending"
        heading.click()
        assert first_rows(page) == ["fair", "good", "poor_&co"]
        assert heading.locator("..").get_attribute("aria-sort") == "descending"


def test_sorting_leaves_controls_and_what_is_missing_below(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "index.html").as_uri())
        page.locator("section:not([hidden]) >> nth=0").get_by_role("button", name="explainer").click()
        assert first_rows(page, 8) == ["fair", "good", "poor_&co", "random", "truth", "chance", "gappy"][:8]


def test_the_keyboard_reaches_a_heading_and_sorts(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "index.html").as_uri())
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "mean rank":
                break
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        assert first_rows(page) == ["poor_&co", "fair", "good"]


def test_filters_choose_scope_detector_width_and_explainer(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "index.html").as_uri())
        shown = page.locator("section:not([hidden])")
        assert shown.evaluate_all("all => all.map(one => one.dataset.scope)") == ["detected"] * 2
        page.get_by_label("rows explained").select_option("flagged")
        page.get_by_label("detector").select_option("<b>knn</b>")
        page.get_by_label("features d").select_option("8")
        (only,) = shown.evaluate_all("all => all.map(one => ({...one.dataset}))")
        assert (only["scope"], only["detector"], only["d"]) == ("flagged", "<b>knn</b>", "8")
        page.get_by_label("explainer", exact=True).fill("GOOD")
        assert page.locator("section:not([hidden]) tbody tr:not([hidden])").count() == 1
        assert page.locator("output").inner_text() == "1 rows"


def test_kinds_are_chosen_and_false_alarms_are_said_to_have_none(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "index.html").as_uri())
        shown = page.locator("section:not([hidden])")
        page.get_by_label("kind of anomaly").select_option("<b>local</b>")
        assert shown.evaluate_all("all => all.map(one => one.dataset.kind)") == ["<b>local</b>"] * 2
        assert not page.locator("#nothing").is_visible()
        page.get_by_label("rows explained").select_option("flagged")
        assert shown.count() == 0
        assert page.locator("#nothing").is_visible()


def test_the_heat_map_sorts_by_kind(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "kinds.html").as_uri())
        table = page.locator("table >> nth=0")
        table.get_by_role("button", name="global").click()
        names = table.locator("tbody th").all_inner_texts()
        assert [name.split()[0] for name in names] == ["good", "fair", "poor_&co", "random", "truth"]


def test_without_javascript_every_table_is_there(chromium, report):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / "index.html").as_uri())
    assert (
        page.locator("section:visible").count() == 3 * 3 * 2 + 2 * 3 * 2 * 2
    )  # by scope, width, detector; kind
    assert page.locator("form:visible").count() == 0
    page.goto((report / "cost.html").as_uri())
    assert page.locator("tbody tr:visible").count() == 2 * 3
    context.close()


def test_the_curves_are_drawn(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "curves.html").as_uri())
        page.wait_for_selector(".chart .scatterlayer .trace")
        assert page.locator(".chart >> nth=0").locator(".scatterlayer .trace").count() == 5


def test_the_scatter_is_drawn(chromium, report):
    with watched(chromium) as page:
        page.goto((report / "cost.html").as_uri())
        page.wait_for_selector(".chart .scatterlayer .trace")
        assert page.locator(".chart .scatterlayer .trace").count() == 2


def test_a_phone_scrolls_tables_and_not_pages(chromium, report):
    with watched(chromium, viewport=PHONE) as page:
        for path in every_page(report):
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_pages_follow_the_readers_colours(chromium, report, scheme, is_dark):
    with watched(chromium, color_scheme=scheme) as page:
        page.goto((report / "index.html").as_uri())
        red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
        assert (int(red) < 128) == is_dark


@pytest.mark.skipif(
    AXE is None,
    reason="XADBENCH_AXE is not set to the path of an axe.min.js (npm pack axe-core; .ci/run does so)",
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(chromium, report, scheme):
    with watched(chromium, color_scheme=scheme) as page:
        for path in every_page(report):
            page.goto(path.as_uri())
            page.add_script_tag(path=AXE)
            found = page.evaluate("axe.run({preload: false})")["violations"]
            serious = [one for one in found if one["impact"] in {"serious", "critical"}]
            assert [(path.name, one["id"], one["nodes"][0]["html"]) for one in serious] == []
