"""`penstock models`: which models are here, fetching one on request, and presets of language-model servers."""

from typing import Annotated

import typer

from penstock.cli.options import AsJson, Home, opened
from penstock.cli.output.ending import emit, reporting_errors

app = typer.Typer(
    help="Embedding models on this machine, and presets for language models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def installed(home: Home = None, as_json: AsJson = False) -> None:
    """List the embedding models that are on this machine."""
    with reporting_errors(as_json), opened(home, None, None) as penstock:
        from penstock.engines.models.models import installed as found

        listed = [
            {"name": model.name, "kind": model.kind, "path": str(model.path)} for model in found(penstock.settings.home)
        ]
        if as_json:
            emit({"models": listed})
            return
        from penstock.cli.output.tables import show_rows

        show_rows(listed, empty="no embedding model is here; `penstock models pull default` fetches one")


@app.command("pull")
def pull(
    name: Annotated[str, typer.Argument(help="'default', or a hub name such as BAAI/bge-small-en-v1.5.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Fetch an embedding model from the network: the only command that does."""
    with reporting_errors(as_json), opened(home, None, None) as penstock:
        from penstock.cli.output.progress import fetching
        from penstock.engines.models.models import pull as fetch

        with fetching() as progress:
            path = fetch(name, penstock.settings.home, progress=progress)
        if as_json:
            emit({"name": name, "path": str(path)})
        else:
            from penstock.cli.output.screen import Screen

            Screen().say_whole(f"{name} is at {path}; use it with --set embedder.model={name}")


@app.command("presets")
def presets(as_json: AsJson = False) -> None:
    """List the presets for language-model servers (llm.preset)."""
    with reporting_errors(as_json):
        from penstock.engines.llms.presets import presets as known

        listed = [
            {
                "preset": name,
                "context_tokens": preset.context_tokens,
                "key": preset.key_variable,
                "base_url": preset.base_url,
            }
            for name, preset in known().items()
        ]
        if as_json:
            emit({"presets": listed})
            return
        from penstock.cli.output.tables import show_rows

        show_rows(listed, empty="")
