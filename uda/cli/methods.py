"""``uda methods``: what can be trained."""

from __future__ import annotations

import click

from uda.methods import METHODS


@click.command("methods")
def methods() -> None:
    """List the methods: what each does about the shift, its paper, what it needs, and its presets."""
    for name, method in METHODS.items():
        kind = "" if method.kind == name else f"  ({method.kind})"
        click.echo(f"{name}{kind}")
        click.echo(f"  {method.summary}")
        if method.paper:
            click.echo(f"  {method.paper}")
        if method.needs:
            click.echo(f"  needs: {method.needs}")
        click.echo(f"  presets: {', '.join(method.presets)}")
