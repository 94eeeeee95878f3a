"""`dragoman serve MODEL`: the model behind LibreTranslate's, DeepL's and OpenAI's interfaces."""

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.checkpoints.pretrained import check_pretrained, read_shape
from dragoman.pipeline.asking import HELP, prompt_form
from dragoman.pipeline.run_folder import RunFolderError
from dragoman.pipeline.translate_command import model_folder
from dragoman.pipeline.translator import MOST_CONTEXT
from dragoman.text.languages import language_name

if TYPE_CHECKING:
    from dragoman.pipeline.serving import EngineServer

LANGUAGES = "en,de,fr,es,it,pt,nl,pl,cs,ru,uk,sv,da,fi,hu,ro,tr,zh,ja,ko,ar,hi,vi,id"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    model: Annotated[
        str, typer.Argument(help="A run folder, a Hugging Face folder, package:NAME, or a server's http://…/v1.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 5000,
    languages: Annotated[str, typer.Option(help="Codes that the service offers, with commas.")] = LANGUAGES,
    name: Annotated[str, typer.Option(help="What the model is called; of a server's, its name there.")] = "dragoman",
    key_variable: Annotated[str | None, typer.Option(help="Environment variable with the callers' key.")] = None,
    server_key: Annotated[str | None, typer.Option(help="Environment variable with the key of that server.")] = None,
    stage: Annotated[str, typer.Option(help="Which stage's model: cpt, sft, lat, preference, rl.")] = "rl",
    accept_licence: Annotated[list[str] | None, typer.Option(help="A licence that you accept, by name.")] = None,
    prompt: Annotated[str | None, typer.Option(help=HELP)] = None,
    vllm: Annotated[str, typer.Option(help="Further arguments of vLLM's server, as one text.")] = "",
) -> None:
    """Translate over HTTP for CAT tools and programs (docs/translating.md)."""
    import uvicorn

    from dragoman.pipeline.serving import TranslationService, application
    from rewards.models.endpoint import EndpointSettings

    codes = tuple(code.strip() for code in languages.split(",") if code.strip())
    for code in codes:
        language_name(code)
    key, form = _key(key_variable, host), prompt_form(model, prompt, chat=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again when it is done, which ends Python
    engine = None if model.startswith("http") else _engine(model, stage, accept_licence or [], name, shlex.split(vllm))
    try:
        if engine is not None:
            engine.wait()
        endpoint = EndpointSettings(engine.endpoint if engine else model, name, server_key, concurrency=64)
        print(f"serving {name} at http://{host}:{port}  (LibreTranslate: /translate, DeepL: /v2, OpenAI: /v1)")
        service = application(TranslationService(endpoint, codes, form), key)
        uvicorn.run(service, host=host, port=port, log_level="warning")
    finally:
        if engine is not None:
            engine.close()


def _engine(model: str, stage: str, accepted: list[str], name: str, arguments: list[str]) -> "EngineServer":
    from dragoman.learner.device import uses_gpu
    from dragoman.pipeline.serving import EngineServer

    folder: Path = model_folder(model, stage, accepted)
    context = min(read_shape(folder).context or MOST_CONTEXT, MOST_CONTEXT)
    check_pretrained(folder, context)
    return EngineServer(folder, name, context, on_gpu=uses_gpu(), arguments=arguments)


def _key(variable: str | None, host: str) -> str | None:
    """The callers' key; without one only this machine may call."""
    if variable is None and host not in LOOPBACK:
        raise RunFolderError(f"--host {host} lets other machines call; name the variable of a key with --key-variable")
    if variable is not None and not os.environ.get(variable):
        raise RunFolderError(f"environment variable {variable} is not set; export the callers' key in it")
    return os.environ[variable] if variable else None
