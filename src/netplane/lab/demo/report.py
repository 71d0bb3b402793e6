"""How the demo is shown: live while it runs, a table at the end, or one value for programs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from netplane.lab.demo.check import Check

Tell = Callable[[object], None]
"""Prints a value for programs."""


class Report:
    """Collects checks and shows them."""

    def __init__(self, tell: Tell | None = None) -> None:
        """`tell` prints the result instead of a table; then progress goes to standard error."""
        self.checks: list[tuple[str, Check]] = []
        self._tell = tell
        self._console = Console(stderr=tell is not None, highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            # Nobody's window: a line a check, however long.
            self._console.width = 240
        self._item = ""

    @property
    def failed(self) -> int:
        """How many checks did not go well."""
        return sum(not check.ok for _, check in self.checks)

    @property
    def passed(self) -> int:
        """How many did."""
        return len(self.checks) - self.failed

    @contextmanager
    def item(self, title: str) -> Iterator[None]:
        """What follows belongs to this item."""
        self._item = title
        self._console.print(f"[bold]{escape(title)}[/]")
        if not self._console.is_terminal:
            yield
            return
        with self._console.status("working"):
            yield

    def say(self, text: str) -> None:
        """A line of progress."""
        self._console.print(f"  [dim]{escape(text)}[/]")

    def show(self, text: str) -> None:
        """Text that is shown as it stands."""
        self._console.print(escape(text))

    def add(self, check: Check) -> None:
        """Take a check in and show it."""
        self.checks.append((self._item, check))
        mark = "[green]ok[/]    " if check.ok else "[bold red]FAILED[/]"
        self._console.print(f"  {mark} {escape(check.name)}: [dim]{escape(check.measured)}[/]")
        if not check.ok and check.detail:
            self._console.print(f"         {escape(check.detail)}")

    def finish(self) -> int:
        """Print the table of all checks, or tell the result; gives the exit status."""
        if self._tell is None:
            self._print_table()
        else:
            self._tell(self._result())
        return 1 if self.failed or not self.checks else 0

    def _result(self) -> dict[str, object]:
        checks: Sequence[dict[str, object]] = [{"item": item, **check._asdict()} for item, check in self.checks]
        return {"passed": self.passed, "failed": self.failed, "checks": checks}

    def _print_table(self) -> None:
        table = Table("check", "", "measured", box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for _, check in self.checks:
            mark = "[green]ok[/]" if check.ok else "[bold red]FAILED[/]"
            table.add_row(escape(check.name), mark, escape(check.measured))
        self._console.print()
        self._console.print(table)
        self._console.print(f"\n{self.passed} checks passed, {self.failed} failed")
