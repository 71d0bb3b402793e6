"""`netplane completion`."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete netplane's commands.

    Options and kinds too. For bash: `netplane completion bash > /etc/bash_completion.d/netplane`.
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, "netplane", "_NETPLANE_COMPLETE").source())
