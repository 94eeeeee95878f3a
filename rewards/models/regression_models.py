"""Score texts with a Hugging Face model that ends in one number: a classification head with one label, or MetricX.

MetricX-23 and -24 are mT5 models whose score is the logit of `<extra_id_10>` (token 250089) at the first decoder
step, cut to 0..25, the end-of-sequence token taken off the input (google-research/metricx, Juraska et al. 2023,
2024). Their checkpoints name the architecture `MT5ForRegression`, which transformers does not know; the weights are
those of its mT5 for conditional generation.

A checkpoint that lacks the head's weights is refused: transformers would fill them with random numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rewards.errors import ModelUnavailable
from rewards.models.devices import assigned_device

Text = str | tuple[str, str]
"""One input: a text, or two that the tokenizer joins with its separator."""
METRICX_TOKEN = 250089
METRICX_WORST = 25.0
FORWARD_BATCH = 16
_METRICX_ARCHITECTURE = "MT5ForRegression"


@dataclass(frozen=True)
class RegressionModel:
    """A loaded model, its tokenizer and where it runs."""

    name: str
    model: Any
    tokenizer: Any
    is_metricx: bool

    def score(self, texts: Sequence[Text], max_length: int | None = None) -> list[float]:
        """The model's number for each text; texts are cut to `max_length` tokens."""
        import torch

        order = sorted(range(len(texts)), key=lambda index: len("".join(texts[index])))
        scores: dict[int, float] = {}
        for start in range(0, len(order), FORWARD_BATCH):
            indices = order[start : start + FORWARD_BATCH]
            with torch.inference_mode():
                found = self._forward([texts[index] for index in indices], max_length)
            scores.update(zip(indices, found.float().tolist(), strict=True))
        return [scores[index] for index in range(len(texts))]

    def chat(self, prompt: str, response: str) -> str:
        """The prompt and the response in the model's own chat format."""
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False))

    def _forward(self, texts: Sequence[Text], max_length: int | None) -> Any:
        import torch

        encoded = [self._encode(text, max_length) for text in texts]
        batch = self.tokenizer.pad({"input_ids": encoded}, return_tensors="pt").to(self.model.device)
        if not self.is_metricx:
            return self.model(**batch).logits[:, 0]
        decoder_ids = torch.zeros(len(texts), 1, dtype=torch.long, device=self.model.device)
        logits = self.model(**batch, decoder_input_ids=decoder_ids).logits
        return logits[:, 0, METRICX_TOKEN].clamp(0, METRICX_WORST)

    def _encode(self, text: Text, max_length: int | None) -> list[int]:
        parts = (text,) if isinstance(text, str) else text
        special = not (isinstance(text, str) and self._starts_like_a_chat(text))
        limit = {"truncation": True, "max_length": max_length} if max_length else {}
        ids: list[int] = self.tokenizer(*parts, add_special_tokens=special, **limit).input_ids
        return ids[:-1] if self.is_metricx else ids

    def _starts_like_a_chat(self, text: str) -> bool:
        """A chat template writes the special tokens itself; the tokenizer must not add them twice."""
        first = self.tokenizer.bos_token
        return bool(first and text.startswith(first))


@lru_cache(maxsize=2)
def load_regression_model(name: str, tokenizer: str | None = None) -> RegressionModel:
    """The model on this worker's device; ModelUnavailable names what is missing and what to do."""
    from transformers import AutoConfig, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(name)
        loaded_tokenizer = AutoTokenizer.from_pretrained(tokenizer or name)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"model {name!r}{f' with tokenizer {tokenizer!r}' if tokenizer else ''} cannot be loaded ({error}); give a "
            "folder with a Hugging Face checkpoint, or a name on the Hub, and for MetricX the argument 'tokenizer' "
            "(google/mt5-xl)"
        ) from error
    is_metricx = _METRICX_ARCHITECTURE in (config.architectures or ())
    if not is_metricx and config.num_labels != 1:
        raise ModelUnavailable(
            f"model {name!r} has {config.num_labels} labels; a regression head has one (num_labels: 1 in config.json)"
        )
    model = _load_weights(name, is_metricx, str(assigned_device()))
    if loaded_tokenizer.pad_token is None:
        loaded_tokenizer.pad_token = loaded_tokenizer.eos_token
    model.config.pad_token_id = loaded_tokenizer.pad_token_id
    return RegressionModel(name, model, loaded_tokenizer, is_metricx)


def _load_weights(name: str, is_metricx: bool, device: str) -> Any:
    import torch
    from transformers import AutoModelForSequenceClassification, MT5ForConditionalGeneration

    architecture: Any = MT5ForConditionalGeneration if is_metricx else AutoModelForSequenceClassification
    dtype = torch.float32 if device == "cpu" else "auto"
    try:
        model, report = architecture.from_pretrained(name, dtype=dtype, output_loading_info=True)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"the weights of model {name!r} cannot be loaded ({error})") from error
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise ModelUnavailable(
            f"model {name!r} has no trained regression head: its checkpoint lacks {missing}; "
            "give a model that was trained to score"
        )
    return model.eval().to(device)
