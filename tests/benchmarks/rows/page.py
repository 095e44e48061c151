"""Speed of the control page, and the load of open pages on the REST service."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright
from tests.benchmarks.core.measure import Comparison, Distribution
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.support.operator_page import PageStack, page_stack

_SUBARRAYS = 4
_EVENTS, _LINES = 50, 250
"""Per second and subarray."""
_PAGES = 50
_WINDOW_S = 5.0
_QUICK_WINDOW_S = 0.5
_TIMEOUT_S = 60.0

# When the first view is complete, and which tasks were long: the browser reports those of more than 50 ms.
_WATCH = """
window.watched = { shown: 0, longest: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) watched.longest = Math.max(watched.longest, entry.duration);
}).observe({ type: "longtask", buffered: true });
const observer = new MutationObserver(() => {
  const cards = document.querySelectorAll("oet-overview .card .health");
  if (cards.length !== SUBARRAYS) return;
  observer.disconnect();
  requestAnimationFrame(() => {
    watched.shown = performance.now();
    document.documentElement.dataset.shown = "";
  });
});
observer.observe(document, { subtree: true, childList: true });
""".replace("SUBARRAYS", str(_SUBARRAYS))


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the page in a browser, where Debian's Chromium is installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return
    with page_stack(_folder(bench, "page"), _SUBARRAYS) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield from _first_view(bench, stack, browser)
        for subarray in range(1, _SUBARRAYS + 1):
            stack.start(subarray, "sends", seconds=3600, events=_EVENTS, lines=_LINES)
        for view, name in (("#/", "all subarrays"), ("#/subarrays/1", "one subarray")):
            yield _under_load(bench, stack, browser, view, name)
        browser.close()
    with page_stack(_folder(bench, "pages"), _SUBARRAYS) as stack:
        yield _many_pages(bench, stack)


def _folder(bench: Bench, name: str) -> Path:
    folder = bench.folder / name
    folder.mkdir()
    return folder


def _page(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(1000 * _TIMEOUT_S)
    page.add_init_script(_WATCH)
    return page


def _first_view(bench: Bench, stack: PageStack, browser: Browser) -> Iterator[Row]:
    times, sizes = [], []
    for _ in range(1 if bench.quick else 15):
        page = _page(browser)
        page.goto(stack.url)
        page.wait_for_selector("html[data-shown]")
        times.append(
            page.evaluate("watched.shown - performance.getEntriesByType('navigation')[0].responseEnd") / 1000
        )
        sizes.append(
            page.evaluate(
                "performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize || 0), 0)"
            )
        )
        page.context.close()
    targets = (at_most(300, Aspect.MEDIAN),)
    yield Row(
        "control page, first view after its document",
        Unit.MILLISECONDS,
        Distribution(tuple(1000 * each for each in times)),
        targets=targets,
        note=f"{_SUBARRAYS} subarrays, nothing in the cache; {max(sizes) / 1000:.0f} kB transferred",
    )


def _under_load(bench: Bench, stack: PageStack, browser: Browser, view: str, name: str) -> Row:
    window = _QUICK_WINDOW_S if bench.quick else _WINDOW_S
    page = _page(browser)
    page.goto(f"{stack.url}{view}")
    page.wait_for_selector(".card")
    longest = []
    for _ in range(1 if bench.quick else 6):
        page.wait_for_timeout(1000 * window)
        longest.append(page.evaluate("[watched.longest, (watched.longest = 0)][0]"))
    page.context.close()
    return Row(
        f"control page, longest task, {name}",
        Unit.MILLISECONDS,
        Distribution(tuple(longest)),
        targets=(at_most(50, Aspect.MEDIAN),),
        note=f"in {window:g} s; {_SUBARRAYS} subarrays, on each {_EVENTS} events/s and {_LINES} lines/s; "
        "0: none of more than 50 ms",
    )


def _many_pages(bench: Bench, stack: PageStack) -> Row:
    stack.start(1, "sends", seconds=3600, events=4 * _EVENTS, lines=0)
    comparison = asyncio.run(_compare(bench, stack))
    return Row.of(
        f"REST, with {_PAGES} open pages",
        Unit.MILLISECONDS,
        comparison,
        "without",
        (),
        f"GET /status; {4 * _EVENTS} events/s; a page is its stream of all events",
    )


async def _compare(bench: Bench, stack: PageStack) -> Comparison:
    samples: dict[bool, list[float]] = {True: [], False: []}
    ratios = []
    async with httpx.AsyncClient(base_url=stack.url, timeout=_TIMEOUT_S) as client:
        for _ in range(1 if bench.quick else 5):
            block: dict[bool, list[float]] = {}
            for crowded in (False, True):
                async with _pages(stack, _PAGES if crowded else 0):
                    block[crowded] = [await _ask(client) for _ in range(2 if bench.quick else 100)]
                samples[crowded] += block[crowded]
            ratios.append(Distribution(tuple(block[True])).median / Distribution(tuple(block[False])).median)
    return Comparison(
        Distribution(tuple(samples[True])), Distribution(tuple(samples[False])), Distribution(tuple(ratios))
    )


async def _ask(client: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    answer = await client.get("api/v1.0/status")
    answer.raise_for_status()
    return 1000 * (time.perf_counter() - began)


@asynccontextmanager
async def _pages(stack: PageStack, count: int) -> AsyncIterator[None]:
    """Keep the connections of pages open, and read them."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=stack.url, timeout=_TIMEOUT_S, limits=limits) as client:

        async def read() -> None:
            async with client.stream("GET", "api/v1.0/subarrays/stream?past=500") as answer:
                async for _ in answer.aiter_raw():
                    pass

        readers = [asyncio.create_task(read()) for _ in range(count)]
        await asyncio.sleep(1.0 if count else 0)
        yield
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
