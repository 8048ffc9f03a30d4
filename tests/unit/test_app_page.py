"""The page's files: every text in one of them, none in the others, and nothing that its own policy would not run."""

from __future__ import annotations

import json
import re
from pathlib import Path

from helpers.app import words

APP = Path(words.__file__).parent


def test_every_text_is_in_one_file_and_every_one_of_them_is_used() -> None:
    page = {path.name: path.read_text(encoding="utf-8") for path in (APP / "page").iterdir()}
    known = set(json.loads(page["en.json"]))
    code = "\n".join([*(path.read_text(encoding="utf-8") for path in APP.glob("*.py")), *page.values()]).replace(
        page["en.json"], ""
    )
    used = set(re.findall(r'["\'](\w+(?:\.\w+)*)["\']', code)) & known
    built = {key for key in known if re.search(rf'["\'`]{re.escape(key.rpartition(".")[0])}\.(?:\{{|\$\{{)', code)}
    assert known - used - built == set()
    asked = set(re.findall(r'data-(?:text|label|hint)="([^"]+)"', page["index.html"])) | set(
        re.findall(r'\bsay\("([\w.]+)"', code)
    )
    assert asked - known == set()
    assert asked, "and the page asks for some"
    body = re.sub(r"<title>.*?</title>|<[^>]*>", " ", page["index.html"], flags=re.S)
    assert not re.search(r"[A-Za-z]{2}", body), "no text stands in the page itself"


def test_the_page_is_small_and_fetches_nothing_from_elsewhere() -> None:
    sizes = [path.stat().st_size for path in (APP / "page").iterdir()]
    assert sum(sizes) < 200_000
    for path in (APP / "page").iterdir():
        text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?://(?!127)", text.replace("over plain http:", "")), path.name
        if path.suffix == ".html":
            assert not re.search(r"\son\w+=|style=|<script(?![^>]* src=)", text), "the policy would not run it"
        if path.suffix == ".js":
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
                path.name
            )
