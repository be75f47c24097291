#!/usr/bin/env python3
"""Takes the pictures in docs/ of a Dagster webserver that runs, with Debian's Chromium.

    python scripts/screenshots.py http://127.0.0.1:3000 [--model flight_delays] [--into docs]

Pictures: the model's asset graph, its tuned model and the search behind it, its evaluation report, the checks of its
splits, and its newest training run that succeeded. The webserver must have seen such a run: `make run`, then
`make dev`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
WIDTH = 1600
PATIENCE_MS = 60_000
# How long a page may still move (fonts, the graph's layout) after its text has come.
SETTLE_MS = 2_500
# Chromium would otherwise sandbox, which a container forbids, and look for updates, which nobody asked for.
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
# Top to bottom, the boxes of a dozen assets stay large enough to read; side by side they shrink to their names.
TOP_TO_BOTTOM = """localStorage.setItem('asset-graph-direction', '"vertical"')"""
PLACES = """
{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } assetGroups { groupName } } } } }
"""
NEWEST_RUN = """
query Newest($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 1) { ... on Runs { results { runId } } } }
"""


class NothingToShow(RuntimeError):  # noqa: N818 - said to whoever asked for pictures, not an error of the code
    """The webserver lacks what a picture is of."""


@dataclass(frozen=True)
class Picture:
    """A page of the UI, and the file that shows it."""

    file: str
    path: str
    ready: str
    """Text that is on the page when it is ready."""
    height: int = 1000
    all_of_it: bool = False
    """Whether to grow the picture until the graph fits."""
    opens: str = ""
    """Metadata whose picture to open over the page."""


def ask(url: str, question: str, **variables: object) -> dict[str, Any]:
    """Put a GraphQL question to the webserver; raise where it has no answer."""
    body = json.dumps({"query": question, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310 - given
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the address that the user gave
        answer = json.load(response)
    if answer.get("errors"):
        message = f"{url} cannot answer: {answer['errors'][0]['message']}"
        raise NothingToShow(message)
    data: dict[str, Any] = answer["data"]
    return data


def pictures(url: str, model: str) -> list[Picture]:
    """What to take, from what the webserver has of a model."""
    places = ask(url, PLACES)["repositoriesOrError"].get("nodes", [])
    having = [place for place in places if model in {group["groupName"] for group in place["assetGroups"]}]
    if not having:
        message = f"{url} has no model {model}"
        raise NothingToShow(message)
    wanted = {"pipelineName": f"{model}_train", "statuses": ["SUCCESS"]}
    runs = ask(url, NEWEST_RUN, filter=wanted)["runsOrError"]["results"]
    if not runs:
        message = f"{url} has no run of {model}_train that succeeded; make run"
        raise NothingToShow(message)
    home = f"/locations/{having[0]['name']}@{having[0]['location']['name']}"
    return [
        Picture("asset_graph.png", f"{home}/asset-groups/{model}", "evaluation_report", height=2800, all_of_it=True),
        Picture("tuned_model.png", f"/assets/{model}/tuned_model", "Latest materialization", 1900),
        Picture("search.png", f"/assets/{model}/tuned_model", "Latest materialization", opens="search_history"),
        Picture("evaluation_report.png", f"/assets/{model}/evaluation_report", "Latest materialization", 1500),
        Picture("checks.png", f"/assets/{model}/train_split?view=checks", "Latest execution"),
        Picture("run.png", f"/runs/{runs[0]['runId']}", "RUN_SUCCESS"),
    ]


def take(browser: Browser, url: str, picture: Picture, into: Path) -> Path:
    """Open a page, wait until it stands still, and save what it shows."""
    page = browser.new_page(viewport={"width": WIDTH, "height": picture.height}, locale="en-GB", timezone_id="UTC")
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(TOP_TO_BOTTOM)
    try:
        _open(page, url + picture.path, picture.ready)
        page.get_by_text("Hide navigation").click()  # remembered by the browser's storage, not by the page's
        if picture.all_of_it:
            # The graph fits itself to the window when it loads, and to nothing that comes later.
            page.set_viewport_size({"width": WIDTH, "height": _height_of_graph(page)})
            _open(page, url + picture.path, picture.ready)
        if picture.opens:
            page.get_by_role("row").filter(has_text=picture.opens).get_by_text("Show Markdown").click()
        page.wait_for_timeout(SETTLE_MS)
        target = into / picture.file
        page.screenshot(path=target)
    finally:
        page.close()
    return target


def _open(page: Page, address: str, ready: str) -> None:
    page.goto(address)
    page.get_by_text(ready).first.wait_for()
    page.wait_for_timeout(SETTLE_MS)


def _height_of_graph(page: Page) -> int:
    """Window height at which the whole graph, at full size, fits below the page's head."""
    # Boxes out of sight are not drawn; the drawing's own height counts them.
    drawing = page.locator("svg:has(foreignObject)").first
    head = 180
    return int(float(drawing.get_attribute("height") or 1000)) + head


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the webserver, e.g. http://127.0.0.1:3000")
    parser.add_argument("--model", default="flight_delays")
    parser.add_argument("--into", type=Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    url = arguments.url.rstrip("/")
    chromium = shutil.which("chromium") or CHROMIUM
    if not Path(chromium).exists():
        sys.stderr.write(f"screenshots: no {chromium}; on Debian: apt install chromium\n")
        return 1
    arguments.into.mkdir(parents=True, exist_ok=True)
    try:
        wanted = pictures(url, arguments.model)
    except (NothingToShow, OSError) as error:
        sys.stderr.write(f"screenshots: {error}\n")
        return 1
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=QUIET) as browser:
        for picture in wanted:
            target = take(browser, url, picture, arguments.into)
            sys.stdout.write(f"{target} ({target.stat().st_size:,} bytes)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
