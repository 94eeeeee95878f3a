"""What is wrong with a checkpoint is one sentence, before anything is loaded; sizes are those of the model."""

import json

import pytest

from dragoman.checkpoints.errors import CheckpointError
from dragoman.checkpoints.pretrained import ROUND_TRIP, check_pretrained, read_shape
from dragoman.learner import ModelSettings
from dragoman.learner.model import ModelError, build_model
from pretrain_sft.tokenizer import train_tokenizer


@pytest.fixture
def folder(tmp_path):
    tokenizer = train_tokenizer([ROUND_TRIP] * 3, 320)
    model = build_model(ModelSettings(context=128, tie_embeddings=False), len(tokenizer), 4, 0, 0)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def changed(folder, file, **values):
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_whole_checkpoint_passes_and_its_sizes_are_the_models(folder):
    check_pretrained(folder, 128)
    model = build_model(ModelSettings(context=128, tie_embeddings=False), 320, 4, 0, 0)
    shape = read_shape(folder)
    assert shape.parameters == sum(p.numel() for p in model.parameters())
    assert (shape.embeddings, shape.vocabulary, shape.layers, shape.tied) == (320 * 192, 320, 4, False)
    assert shape.stored_bytes == 4 * shape.parameters


def test_what_is_missing_or_wrong_is_named_with_its_mend(folder):
    with pytest.raises(CheckpointError, match=r"model\.context=256 is more than the 128 positions"):
        check_pretrained(folder, 256)
    changed(folder, "tokenizer_config.json", eos_token="<|user|>")
    with pytest.raises(CheckpointError, match=r"no turn of the chat template .* ends with the end token '<\|user\|>'"):
        check_pretrained(folder, 128)
    changed(folder, "tokenizer_config.json", eos_token="<|end|>")
    changed(folder, "config.json", eos_token_id=7)
    changed(folder, "generation_config.json", eos_token_id=[7])
    with pytest.raises(CheckpointError, match=r"stops at tokens \[7\], a turn ends with 4 .*add that to eos_token_id"):
        check_pretrained(folder, 128)


def test_a_folder_without_template_weights_or_config_is_refused(folder):
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match=r"has no chat template; add chat_template\.jinja"):
        check_pretrained(folder, 128)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"holds no \*\.safetensors"):
        check_pretrained(folder, 128)
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"holds no config\.json"):
        check_pretrained(folder, 128)


def test_a_tokenizer_that_loses_letters_is_refused(folder):
    values = json.loads((folder / "tokenizer.json").read_text())
    values["normalizer"] = {"type": "Lowercase"}
    (folder / "tokenizer.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="does not give back its text"):
        check_pretrained(folder, 128)
