"""The command line. Everything an operator asks goes by HTTP; `server`, `agent`, `up` and `demo` run the real thing.

Each command is a module that is imported when it is called, so that `netplane status` starts as fast as its own
imports, whatever the others need.
"""

from importlib import import_module
from typing import Any

import click

from netplane.base.garbage import collect_rarely

COMMANDS = {
    "server": "netplane.cli.server:server",
    "join": "netplane.cli.join:join",
    "agent": "netplane.cli.agent:agent",
    "up": "netplane.cli.up:up",
    "down": "netplane.cli.down:down",
    "unit": "netplane.cli.unit:unit",
    "host": "netplane.cli.host:host",
    "attach": "netplane.cli.attach:attach",
    "plan": "netplane.cli.apply:plan",
    "apply": "netplane.cli.apply:apply",
    "get": "netplane.cli.get:get",
    "describe": "netplane.cli.describe:describe",
    "delete": "netplane.cli.delete:delete",
    "watch": "netplane.cli.watch:watch",
    "completion": "netplane.cli.completion:completion",
    "status": "netplane.cli.status:status",
    "trace": "netplane.cli.trace:trace",
    "log": "netplane.cli.log:log",
    "why": "netplane.cli.why:why",
    "tables": "netplane.cli.tables:tables",
    "db": "netplane.cli.db:db",
    "backup": "netplane.cli.backup:backup",
    "restore": "netplane.cli.backup:restore",
    "project": "netplane.cli.identity.project:project",
    "user": "netplane.cli.identity.user:user",
    "role": "netplane.cli.identity.role:role",
    "token": "netplane.cli.identity.token:token",
    "demo": "netplane.cli.demo:demo",
    "version": "netplane.cli.version:version",
}
"""Where each command is, as module:function."""


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command; what it imports is not looked through for garbage meanwhile, a tenth of that time."""
        collect_rarely()
        return super().main(*args, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """What is called; who has mistyped it is told what is near, of all that the table has."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as problem:
            raise click.NoSuchCommand(problem.command_name, possibilities=COMMANDS, ctx=ctx) from None


@click.group(
    cls=LazyGroup,
    epilog="To see all of it: `netplane demo`. One hypervisor: `netplane up`, then `netplane status`. More: README.md.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Netplane: an open network hypervisor."""
