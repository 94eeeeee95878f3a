"""Tiny COMET checkpoints made from nothing, and what unbabel-comet itself says with them.

Runs in the environment `comet`: `python comet_checkpoints.py FOLDER`. Writes FOLDER/{comet,kiwi,xcomet} as the
library saves models, and FOLDER/expected.json with the scores of its own `predict` for FOLDER/samples.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytorch_lightning
import torch
import yaml
from comet import load_from_checkpoint
from comet.models import ReferencelessRegression, RegressionMetric, XCOMETMetric
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
LAYERS = 2


def make_encoder(folder: Path, texts: list[str]) -> None:
    """An XLM-R of 32 dimensions with a tokenizer trained on the texts."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=SPECIAL, unk_token="<unk>")
    tokenizer.train_from_iterator(texts * 20, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    fast = XLMRobertaTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", model_max_length=128, **names
    )
    fast.save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=max(320, len(fast)),
        hidden_size=32,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=130,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        initializer_range=0.3,
    )
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)


def save(model: pytorch_lightning.LightningModule, folder: Path) -> None:
    (folder / "checkpoints").mkdir(parents=True)
    trainer = pytorch_lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, max_epochs=0)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(folder / "checkpoints" / "model.ckpt", weights_only=True)
    (folder / "hparams.yaml").write_text(yaml.safe_dump(dict(model.hparams)))


def main(folder: Path) -> None:
    samples = json.loads((folder / "samples.json").read_text())
    torch.manual_seed(0)
    encoder = folder / "encoder"
    make_encoder(encoder, [text for sample in samples for text in sample.values()])
    common = {
        "encoder_model": "XLM-RoBERTa",
        "pretrained_model": str(encoder.resolve()),
        "hidden_sizes": [32, 16],
        "nr_frozen_epochs": 0,
        "local_files_only": True,
        "load_pretrained_weights": True,
    }
    save(RegressionMetric(**common), folder / "comet")
    save(ReferencelessRegression(**common), folder / "kiwi")
    save(XCOMETMetric(**common, word_layer=LAYERS, layer_transformation="softmax"), folder / "xcomet")
    without = [{"src": sample["src"], "mt": sample["mt"]} for sample in samples]
    expected = {}
    for name, inputs in (("comet", samples), ("kiwi", without), ("xcomet", samples), ("xcomet_qe", without)):
        path = folder / name.removesuffix("_qe") / "checkpoints" / "model.ckpt"
        loaded = load_from_checkpoint(str(path), local_files_only=True)
        output = loaded.predict(inputs, batch_size=16, gpus=0, num_workers=0, progress_bar=False)
        expected[name] = output.scores
        if "error_spans" in output.get("metadata", {}):
            expected[f"{name}_errors"] = output.metadata.error_spans
    (folder / "expected.json").write_text(json.dumps(expected))


main(Path(sys.argv[1]))
