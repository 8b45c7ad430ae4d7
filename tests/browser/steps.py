"""What people do in the office, for the tests in the browser."""

import re
import threading

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, expect

from tests.totp import code_of

PASSWORD = "a-fine-long-word-7"
# Counts what a page will still do by itself in less than a second: timers, as of a field that is asked about a moment
# after typing, and requests. `settled` waits for its end. What a page does again and again, such as looking every three
# seconds whether something is new, does not count.
WATCH = """(() => {
    const set = window.setTimeout, clear = window.clearTimeout, get = window.fetch, waiting = new Set();
    window.setTimeout = (what, delay, ...rest) => {
        const id = set(() => { try { what(...rest); } finally { waiting.delete(id); } }, delay);
        if (!(delay >= 1000)) waiting.add(id);
        return id;
    };
    window.clearTimeout = (id) => { waiting.delete(id); clear(id); };
    window.fetch = (...all) => {
        const one = get(...all);
        waiting.add(one);
        return one.finally(() => waiting.delete(one));
    };
    const busy = () => document.readyState !== 'complete' || waiting.size
        || document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling');
    window.settled = (seconds) => new Promise((good, bad) => {
        const end = performance.now() + 1000 * seconds;
        const look = () => !busy() ? good() : performance.now() > end ? bad(new Error('still busy')) : set(look, 10);
        look();
    });
})()"""
SECONDS = 60  # a page that is not ready then is not slow but stuck
GONE = ("Execution context was destroyed", "navigation", "Cannot find context")  # it went on to another page meanwhile
SERIOUS = {"serious", "critical"}
# What stands out at the right and is not inside of something that scrolls by itself.
BEYOND = """() => [...document.querySelectorAll('main *')].filter(e =>
    e.getBoundingClientRect().right > innerWidth && ![...document.querySelectorAll('.table-responsive')].some(t =>
    t.contains(e))).slice(0, 5).map(e => e.outerHTML.slice(0, 150))"""
# Words that are cut off: a box that hides what does not fit. Fields scroll by themselves; what is for screen readers
# alone, and pictures, are no words on the page.
CUT = """() => [...document.querySelectorAll('body *')].filter(e => {
    if (e.matches('input, textarea, select') || e.closest('.visually-hidden, .skip, svg, canvas')) return false;
    if (!e.checkVisibility() || !e.innerText || !e.innerText.trim()) return false;
    const style = getComputedStyle(e), hides = /hidden|clip/;
    return (hides.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
        || (hides.test(style.overflowY) && e.scrollHeight > e.clientHeight + 1);
}).slice(0, 5).map(e => e.outerHTML.slice(0, 150))"""
# WCAG 2.2 AA: axe leaves out what is new in 2.2 unless it is named.
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
}
_axe = Axe()


def sign_in(page: Page, url: str, email: str, password: str = PASSWORD) -> None:
    """Sign in by password."""
    page.goto(f"{url}/account/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.click("form[action='/account/login/'] button.btn-primary")
    settled(page)


def set_up_app(page: Page, url: str, password: str = PASSWORD) -> str:
    """Set up codes of an app as second factor; gives its secret."""
    page.goto(f"{url}/account/2fa/totp/activate/")
    if page.locator("[name=password]").count():  # asked who one is
        page.fill("[name=password]", password)
        page.click("main button.btn-primary")
    secret = page.input_value("#authenticator_secret")
    page.fill("[name=code]", code_of(secret))
    page.click("main button.btn-primary")
    settled(page)
    return secret


def settled(page: Page) -> None:
    """Wait until the page is loaded with its scripts, and does nothing more by itself for now.

    To be called before a key, and before typing where the page answers to what is typed: a script that is not there yet
    does not hear it. And where what was typed last must have been answered.
    """
    for _ in range(5):
        page.wait_for_load_state(timeout=1000 * SECONDS)
        try:
            page.evaluate(f"settled({SECONDS})")
            return
        except Error as error:
            if not any(words in error.message for words in GONE):
                raise
    raise AssertionError(f"{page.url} goes on and on to other pages")


def check_page(page: Page, within: str | None = None) -> None:
    """Nothing serious against WCAG 2.2 AA, nothing beyond the edge at the right, no words cut off.

    `within`: only in this part, where it lies over the rest of the page. Waits until the page is `settled`.
    """
    settled(page)
    found = _axe.run(page, context=within, options=RULES)
    wrong = [
        f"{v['id']}: {v['nodes'][0]['html'][:200]} ({v['help']})"
        for v in found.response["violations"]
        if v["impact"] in SERIOUS
    ]
    assert wrong == [], f"{page.url}: {wrong}"
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, f"{page.url} is {beyond} pixels too wide: {page.evaluate(BEYOND)}"
    cut = page.evaluate(CUT)
    assert cut == [], f"{page.url} cuts words off: {cut}"


def work() -> None:
    """Do the background work that is due, as the worker would."""
    from django.db import connections

    from taktura.kit.jobs.worker import run_worker

    def run() -> None:
        run_worker(until_done=True)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def issue(page: Page) -> None:
    """Start the billing run of the page, do it, and see where the page goes by itself when it is done."""
    page.locator("main form[method=post] .btn-primary").click()
    expect(page).to_have_url(re.compile(r"/work/\d+/$"))
    work()
    expect(page).to_have_url(re.compile(r"/billing/runs/\d+/$"))
    settled(page)
