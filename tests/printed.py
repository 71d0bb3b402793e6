"""The `netplane` commands that the written pages tell a reader to type."""

import re
from collections.abc import Iterator

from tests.hygiene.sources import ROOT

PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
MARKED = re.compile(r"```\n(.*?)```|`([^`\n]+)`", re.DOTALL)
COMMAND = re.compile(r"(?:^|(?<!--os-cloud)[\s/;=])netplane ((?:[a-z]+ [^\n;|)`]*|[a-z]+$))", re.MULTILINE)


def printed() -> Iterator[tuple[str, str]]:
    """Each page, and each command that it prints, without what a comment says behind it."""
    for page in PAGES:
        for block, inline in MARKED.findall((ROOT / page).read_text()):
            for found in COMMAND.findall((block or inline).replace("\\\n", " ")):
                words = re.split(r"\s#|\s{3,}", found)[0].strip()
                yield page, words
