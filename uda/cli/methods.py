"""``uda methods``: what can be trained."""

from __future__ import annotations

import click

from uda.methods import METHODS


@click.command("methods")
def methods() -> None:
    """List the methods: what each does, its paper, and its presets."""
    for name, method in METHODS.items():
        click.echo(name)
        click.echo(f"  {method.summary}")
        if method.paper:
            click.echo(f"  {method.paper}")
        click.echo(f"  presets: {', '.join(method.presets)}")
