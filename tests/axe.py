"""axe-core, which finds what keeps people with disabilities from using a page."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browsing import DESKTOP, PHONE


def violations(page: Page) -> list[str]:
    """What axe-core has against the page: on a phone and a desktop, light and dark."""
    found = []
    for width, height in (PHONE.values(), DESKTOP.values()):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        found += _violations(page, f"light, {width} px")
        page.emulate_media(color_scheme="dark")
        found += _violations(page, f"dark, {width} px")
    return found


def _violations(page: Page, appearance: str) -> list[str]:
    faults = Axe().run(page).response["violations"]
    return [
        f"{appearance}: {fault['id']}: {node['html']}"
        for fault in faults
        for node in fault["nodes"]
    ]
