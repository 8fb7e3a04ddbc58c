"""axe-core, which finds what keeps people with disabilities from using a page."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from testkit.browsing import DESKTOP, PHONE

RUN = "axe.run({resultTypes: ['violations']}).then(results => results.violations)"


def violations(page: Page) -> list[str]:
    """What axe-core has against the page: on a phone and a desktop, light and dark."""
    page.evaluate(Axe().axe_script)
    found = []
    for width, height in (PHONE.values(), DESKTOP.values()):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        found += _violations(page, f"light, {width} px")
        page.emulate_media(color_scheme="dark")
        found += _violations(page, f"dark, {width} px")
    return found


def _violations(page: Page, appearance: str) -> list[str]:
    return [
        f"{appearance}: {fault['id']}: {node['html']}"
        for fault in page.evaluate(RUN)
        for node in fault["nodes"]
    ]
