"""Small GGUF files as llama.cpp's converters write them, from random transformers models and small vocabularies."""

from __future__ import annotations

import numpy as np
import torch
import transformers
from gguf import GGUFWriter

SHAPE = dict(
    hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=128, vocab_size=300, initializer_range=0.3,
)  # fmt: skip
NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
GEMMA_NAMES = NAMES | {
    "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}  # fmt: skip


def random_model(architecture, **changes):
    """A model of transformers with weights that bfloat16 holds exactly, norms and biases included."""
    torch.manual_seed(0)
    shape = SHAPE | changes
    if architecture == "llama":
        config = transformers.LlamaConfig(**shape, tie_word_embeddings=False)
    elif architecture == "qwen2":
        config = transformers.Qwen2Config(**shape, tie_word_embeddings=True)
    else:
        config = transformers.Gemma3TextConfig(
            **shape, head_dim=256, query_pre_attn_scalar=256, sliding_window=8, tie_word_embeddings=True
        )
    model = getattr(transformers, type(config).__name__.replace("TextConfig", "Config")[:-6] + "ForCausalLM")(config)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name or name.endswith("bias"):
                value.add_(0.3 * torch.randn_like(value))
            value.copy_(value.to(torch.bfloat16).float())
    return model.eval()


def permute(weights, heads):
    """llama.cpp's convert_hf_to_gguf.py, LlamaModel.permute."""
    return (
        weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
        .swapaxes(1, 2)
        .reshape(weights.shape)
    )


def write_gguf(path, architecture, model, vocabulary):
    """`vocabulary` writes the tokenizer's fields into the writer."""
    config, names = model.config, GEMMA_NAMES if architecture == "gemma3" else NAMES
    writer = GGUFWriter(str(path), architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    if architecture == "gemma3":
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
        writer.add_sliding_window(config.sliding_window)
        writer.add_rope_freq_base(1_000_000.0)
    else:
        writer.add_rope_freq_base(10_000.0)
    vocabulary(writer)
    for name, value in model.state_dict().items():
        weights = value.float().numpy()
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if architecture == "gemma3" and "norm" in name:
            weights = weights + np.float32(1)
        if architecture == "llama" and "q_proj" in name:
            weights = permute(weights, config.num_attention_heads)
        if architecture == "llama" and "k_proj" in name:
            weights = permute(weights, config.num_key_value_heads)
        stem, part = name.rsplit(".", 1)
        block = stem.startswith("model.layers.")
        number, short = stem.removeprefix("model.layers.").split(".", 1) if block else ("", stem)
        writer.add_tensor(f"blk.{number}.{names[short]}.{part}" if block else f"{names[short]}.{part}", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def byte_level_vocabulary(cut, size=300):
    """Bytes as GPT-2 writes them, some merges and two special tokens."""
    from tokenizers import pre_tokenizers

    def write(writer):
        merges = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("i", "n"), ("Ä", "į")]
        pieces = ["<|end|>", "<|turn|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *(a + b for a, b in merges)]
        pieces += [f"<|unused{n}|>" for n in range(size - len(pieces))]
        special = [piece.startswith("<|") for piece in pieces]
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(cut)
        writer.add_token_list(pieces)
        writer.add_token_types([3 if yes else 1 for yes in special])
        writer.add_token_merges([f"{a} {b}" for a, b in merges])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(1)
        writer.add_unk_token_id(0)
        writer.add_add_bos_token(False)
        writer.add_chat_template("{% for m in messages %}{{ m['content'] + '<|turn|>' }}{% endfor %}")

    return write


def sentencepiece_vocabulary(proto):
    """Pieces of a SentencePiece model; runs of spaces are written plain, as llama.cpp's converter does for Gemma."""

    def write(writer):
        kinds = {1: 1, 2: 3, 3: 3, 4: 4, 6: 6}
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list([p.piece.replace("▁", " ") if p.type == 4 else p.piece for p in proto.pieces])
        writer.add_token_scores([p.score for p in proto.pieces])
        writer.add_token_types([kinds[p.type] for p in proto.pieces])
        writer.add_bos_token_id(proto.trainer_spec.bos_id)
        writer.add_eos_token_id(proto.trainer_spec.eos_id)
        writer.add_unk_token_id(proto.trainer_spec.unk_id)
        writer.add_pad_token_id(proto.trainer_spec.pad_id)
        writer.add_add_bos_token(True)
        writer.add_add_space_prefix(False)

    return write
