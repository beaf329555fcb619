"""What axe-core finds wrong with a page for people who do not see, point or hear: WCAG and best practice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

__all__ = ["violations"]

# What is folded is read too, and folded again.
OPEN = """() => [...document.querySelectorAll("details:not([open])")].map(item => {
  item.open = true; item.dataset.axeOpened = "";
}).length"""
FOLD = """() => document.querySelectorAll("details[data-axe-opened]").forEach(item => {
  item.open = false; delete item.dataset.axeOpened;
})"""
RUN = """only => axe.run({
  resultTypes: ["violations"], ...(only ? {runOnly: {type: "rule", values: only}} : {}),
}).then(found => found.violations)"""
# A scheme changes colors and nothing else, so that all the other rules are asked once.
SCHEMES = {"light": None, "dark": ["color-contrast", "link-in-text-block"]}


def violations(page: Any) -> list[str]:
    """All that axe-core calls a violation, in light and in dark: a line each, none on a page without fault.

    ``assert violations(page) == []`` shows in which scheme, the rule, how bad it is, where and why.

    Args:
        page: A page of Playwright, loaded; whatever its Content-Security-Policy says.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(OPEN)
    found = []
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {line}" for item in page.evaluate(RUN, rules) for line in _lines(item)]
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.evaluate(FOLD)
    return found


def _lines(item: Mapping[str, Any]) -> Iterator[str]:
    """A line for each element that breaks the rule."""
    for node in item["nodes"]:
        checks = (check for kind in ("any", "all", "none") for check in node[kind])
        why = "; ".join(check["message"] for check in checks)
        where = " ".join(str(target) for target in node["target"])
        yield f"{item['id']} ({item['impact']}) at {where}: {why or item['help']} | {node['html'][:200]}"
