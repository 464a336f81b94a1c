"""The report in a real browser: Chromium without a display, driven by its own driver; nothing is downloaded."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.examples import result
from tests.evaluation.logged import logged_run, three_methods
from uda.evaluation.report.page import make_report
from uda.evaluation.runs import find_runs

selenium = pytest.importorskip("selenium", reason="needs the development extra: pip install -e '.[dev]'")

from selenium.webdriver import Chrome, ChromeOptions  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)",
)
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PHONE, DESKTOP = 390, 1280


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pairs, so that the table is wider than any screen, and names that would break out of a page."""
    folder = tmp_path_factory.mktemp("report")
    pairs = [
        ("mnist", "usps"),
        ("usps", "mnist"),
        ("svhn", "mnist"),
        ("mnist", "mnistm"),
        ("mnist", "svhn"),
        ("a", "b"),
    ]
    three_methods(folder / "runs", pairs)
    odd = result(preset="<img src=https://example.com/x.png onerror=alert(1)>" + "very-long-" * 12, accuracy_last=85.5)
    logged_run(folder / "runs" / "odd", odd, 80.0, 85.5)
    page = make_report(find_runs([folder / "runs"]), folder, checkpoints=False)
    (folder / "report.html").write_text(page, encoding="utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with Chrome(options=options, service=Service(str(DRIVER))) as driver:
        yield driver


def show(chrome: Chrome, report: Path, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == PHONE}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for kind in ("browser", "performance"):
        chrome.get_log(kind)  # what was logged before
    chrome.get(report.as_uri())


def heading(chrome: Chrome, text: str, table: int = 0) -> WebElement:
    """The first heading of that text that sorts."""
    path = f"(//table)[{table + 1}]//th[button[contains(., '{text}')]]"
    return chrome.find_element(By.XPATH, path)


def rows(chrome: Chrome, kind: str, column: int) -> list[str]:
    """The texts of a column of the first table's group of rows."""
    cells = chrome.find_elements(By.CSS_SELECTOR, f"table tbody[data-kind='{kind}'] tr > :nth-child({column})")
    return [cell.text.split("\n")[0] for cell in cells]


def run_column(chrome: Chrome, column: int) -> list[str]:
    cells = chrome.find_elements(By.XPATH, f"(//section[h2[@id='runs']]//table)[1]/tbody/tr/*[{column}]")
    return [cell.text for cell in cells]


def sorts(head: WebElement) -> str | None:
    return head.get_attribute("aria-sort")


def test_a_click_on_a_heading_sorts_and_says_so(chrome: Chrome, report: Path) -> None:
    show(chrome, report, DESKTOP)
    written = run_column(chrome, 5)
    assert len(written) == 37
    last = chrome.find_element(By.XPATH, "//section[h2[@id='runs']]//th[button[.='Last']]")
    button = last.find_element(By.TAG_NAME, "button")
    button.click()
    assert run_column(chrome, 5) == sorted(written, key=float, reverse=True)
    assert sorts(last) == "descending"
    button.click()
    assert run_column(chrome, 5) == sorted(written, key=float)
    assert sorts(last) == "ascending"
    method = chrome.find_element(By.XPATH, "//section[h2[@id='runs']]//th[button[.='Method']]")
    method.find_element(By.TAG_NAME, "button").click()
    assert sorted(run_column(chrome, 3), key=str.casefold) == run_column(chrome, 3)
    assert (sorts(last), sorts(method)) == (None, "ascending")
    for _ in range(2):
        method.find_element(By.TAG_NAME, "button").click()
    assert sorts(method) is None
    assert run_column(chrome, 5) == written


def test_the_results_sort_within_each_kind_of_methods(chrome: Chrome, report: Path) -> None:
    show(chrome, report, DESKTOP)
    kinds = [body.get_attribute("data-kind") for body in chrome.find_elements(By.CSS_SELECTOR, "figure.results tbody")]
    assert kinds[:3] == ["source-only", "adversarial", "generative"]
    written = rows(chrome, "published", 3)
    column = heading(chrome, "last")
    column.find_element(By.TAG_NAME, "button").click()
    assert sorts(column) == "descending"
    numbers = [float(found.group()) for text in rows(chrome, "published", 3) if (found := re.match(r"[\d.]+", text))]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) > 10
    assert sorted(rows(chrome, "published", 3)) == sorted(written) != rows(chrome, "published", 3)
    after = [body.get_attribute("data-kind") for body in chrome.find_elements(By.CSS_SELECTOR, "figure.results tbody")]
    assert after == kinds
    first = chrome.find_element(By.CSS_SELECTOR, "tbody[data-kind='published'] tr")
    assert first.text == "Published"  # the heading of a group stays on top of it


def test_the_keyboard_sorts_too(chrome: Chrome, report: Path) -> None:
    show(chrome, report, DESKTOP)
    column = heading(chrome, "Method")
    button = column.find_element(By.TAG_NAME, "button")
    for _ in range(12):  # past the links and the container that scrolls
        chrome.switch_to.active_element.send_keys(Keys.TAB)
        if chrome.switch_to.active_element == button:
            break
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    assert sorts(column) == "ascending"
    chrome.switch_to.active_element.send_keys(Keys.SPACE)
    assert sorts(column) == "descending"


def test_a_link_to_a_run_unfolds_it(chrome: Chrome, report: Path) -> None:
    show(chrome, report, DESKTOP)
    details = chrome.find_elements(By.TAG_NAME, "details")
    assert not any(each.get_attribute("open") for each in details)
    chrome.find_element(By.CSS_SELECTOR, "section a[href^='#run-']").click()
    assert [bool(each.get_attribute("open")) for each in details].count(True) == 1


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_no_error_no_request_and_no_sideways_scrolling(chrome: Chrome, report: Path, width: int) -> None:
    show(chrome, report, width)
    for button in chrome.find_elements(By.CSS_SELECTOR, "th button")[:3]:
        chrome.execute_script("arguments[0].click()", button)
    for each in chrome.find_elements(By.TAG_NAME, "details"):
        chrome.execute_script("arguments[0].open = true", each)
    size = chrome.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert size[0] <= size[1] == width
    chrome.execute_script("window.scrollTo(1000, 0)")
    assert chrome.execute_script("return window.scrollX") == 0
    assert chrome.get_log("browser") == []
    assert requests(chrome) == [report.as_uri()]


def requests(chrome: Chrome) -> list[str]:
    """The address of everything that was asked for since `show`, but what stands in the page itself."""
    messages: list[dict[str, Any]] = [json.loads(line["message"])["message"] for line in chrome.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith("data:")]


def test_the_watch_over_requests_and_errors_sees_them(chrome: Chrome, tmp_path: Path) -> None:
    page = "<script>console.error('seen')</script><img src='other.png'>"
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    show(chrome, tmp_path / "page.html", DESKTOP)
    assert any("seen" in line["message"] for line in chrome.get_log("browser"))
    assert (tmp_path / "other.png").as_uri() in requests(chrome)


def test_wide_tables_scroll_in_their_own_container(chrome: Chrome, report: Path) -> None:
    show(chrome, report, PHONE)
    inner, outer = chrome.execute_script(
        "const box = document.querySelector('figure.results .scroll'); return [box.scrollWidth, box.clientWidth]"
    )
    assert inner > outer
    assert outer <= PHONE


def test_dark_and_light_follow_the_reader(chrome: Chrome, report: Path) -> None:
    def colours(scheme: str) -> list[str]:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        script = "const s = getComputedStyle(arguments[0] || document.body); return s.backgroundColor + s.color"
        axis = (
            "const s = getComputedStyle(document.querySelector('figure.narrow svg, figure.wide svg')); return s.color"
        )
        return [chrome.execute_script(script), chrome.execute_script(axis)]

    show(chrome, report, DESKTOP)
    (light, light_ink), (dark, dark_ink) = colours("light"), colours("dark")
    assert light.startswith("rgb(255, 255, 255)")
    assert dark != light
    assert dark_ink != light_ink
