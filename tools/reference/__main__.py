"""Writes all pages."""

from tools.reference import DIRECTORY, PAGES

DIRECTORY.mkdir(parents=True, exist_ok=True)
for name, page in PAGES.items():
    (DIRECTORY / name).write_text(page())
