"""The command line. What a command needs is imported when it runs, so that `--help` stays instant."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from sensorrep import __version__
from sensorrep.commands.live import live
from sensorrep.commands.recorded import inspect, replay, report
from sensorrep.commands.sensors import scan, setup
from sensorrep.commands.simulate import simulate
from sensorrep.errors import SensorRepError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: importing what paints it takes longer than all the rest
    pretty_exceptions_enable=False,
    help="Counts and measures 'heels apart' repetitions from two ankle-worn motion sensors.",
    epilog="Not a medical device: it describes movement, it does not diagnose.",
)
for command in (live, setup, scan, replay, report, inspect, simulate):
    app.command()(command)


def main() -> None:
    """Run the command line: one clear line and status 1 for what went wrong outside, status 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a degree sign that cannot be shown must not end a session
            stream.reconfigure(errors="replace")
    try:
        app()
    except SensorRepError as error:
        print(f"sensorrep: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # whoever read our output has gone: say nothing more, not even at exit
        sys.stderr.close()
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Say the version and exit.")] = False) -> None:
    if version:
        print(f"sensorrep {__version__}")
        raise typer.Exit
