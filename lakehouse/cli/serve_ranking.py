"""`lakehouse serve-ranking`: answers rankings over HTTP from the champion of a model."""

from typing import Annotated

import typer

from lakehouse import logs
from lakehouse.cli.options import ProfileName
from lakehouse.errors import ConfigurationError
from lakehouse.logs import Redaction
from lakehouse.settings import load_profile


def serve_ranking(
    profile: ProfileName = None,
    model: Annotated[
        str | None, typer.Option(help="A model of the registry that can rank; absent: the only one.")
    ] = None,
    host: Annotated[str, typer.Option(help="Where it listens; by default it is reached from this machine only.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free; the log names it.")] = 8080,
    reload_seconds: Annotated[float, typer.Option(min=0.05, help="How often it looks for a new champion.")] = 5,
) -> None:
    """Answer `POST /rank` from the champion of a model until SIGTERM or SIGINT; `/health` and `/metrics` tell how it does.

    A request bears the profile's `models.serving_token`.

    Exit codes: 0 it was told to end; 2 no token, no such model, a model that cannot rank, or a port that is taken.
    """
    settings = load_profile(profile)
    logs.configure(Redaction(settings.secrets()))
    try:
        from lakehouse.serving.server import serve  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"serving: {error.name} is not installed; expected the extra `models`.",
            remedy="Run `pip install 'lakehouse[models]'`.",
        ) from None
    serve(settings, model, host, port, reload_seconds)
