"""The pages for people: every link inside of the tree leads somewhere, every picture is on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)(?:#[^)]*)?\)")
CODE = re.compile(r"^ {4}[^\n]*$|`[^`\n]*`|^```.*?^```$", re.MULTILINE | re.DOTALL)
"""Where brackets mean something else."""


def links(page: Path) -> list[str]:
    """The paths that a page links to."""
    return LINK.findall(CODE.sub("", page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    assert [path for path in links(page) if not (page.parent / path).exists()] == []


def test_every_picture_is_on_a_page():
    shown = {(page.parent / path).resolve() for page in PAGES for path in links(page)}
    pictures = set((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures and pictures - shown == set()
