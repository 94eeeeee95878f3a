"""Tokenizers from a GGUF file's vocabulary, built with the `tokenizers` library; no other library's converter is asked.

Two kinds lie in the files:
- `gpt2`: byte-level BPE. Pieces and merges are there; the file names how texts are cut before merging (`pre`).
- `llama`: SentencePiece BPE. Pieces and scores are there, and the merges follow from them: SentencePiece joins the two
  neighbours whose joint piece has the best score (github.com/google/sentencepiece, src/bpe_model.cc), so every way to
  cut a piece into two pieces is a merge, ranked by the score of the whole. Characters without a piece become bytes.

Token types are llama.cpp's: 1 a normal piece, 3 control (special), 4 given by the user (whole wherever it stands), 6 a
byte.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from dragoman.packages.errors import PackageError
from dragoman.packages.gguf_file import GgufFile

NORMAL, CONTROL, GIVEN = 1, 3, 4
SPACE = "▁"
_QWEN2_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2 cuts a text into words before merging (its own tokenizer.json)"""


def build_tokenizer(file: GgufFile) -> Any:
    """A `tokenizers.Tokenizer`; PackageError for a kind that cannot be built."""
    builders = {"gpt2": byte_level_tokenizer, "llama": sentencepiece_tokenizer}
    kind = str(file.field("tokenizer.ggml.model"))
    if kind not in builders:
        raise PackageError(f"{file.path.name} has a tokenizer of the kind {kind!r}; {', '.join(builders)} can be built")
    return _with_added_tokens(builders[kind](file), file)


def byte_level_tokenizer(file: GgufFile) -> Any:
    """From pieces and merges."""
    from tokenizers import Tokenizer, decoders, models

    vocabulary = {piece: number for number, piece in enumerate(file.field("tokenizer.ggml.tokens"))}
    merges = [tuple(merge.split(" ", 1)) for merge in file.field("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer, tokenizer.normalizer = _cutting(file)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _cutting(file: GgufFile) -> tuple[Any, Any]:
    """How texts are cut, and normalised before."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    cut = str(file.field("tokenizer.ggml.pre"))
    if cut == "smollm":
        digits = pre_tokenizers.Digits(individual_digits=True)
        return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]), None
    if cut == "qwen2":
        words = pre_tokenizers.Split(Regex(_QWEN2_WORDS), behavior="isolated")
        bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        return pre_tokenizers.Sequence([words, bytes_]), normalizers.NFC()
    raise PackageError(f"{file.path.name} cuts texts in the way {cut!r}; smollm and qwen2 are known")


def sentencepiece_tokenizer(file: GgufFile) -> Any:
    """From pieces, scores and types."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors

    if file.field("tokenizer.ggml.add_space_prefix"):
        raise PackageError(
            f"{file.path.name} writes a space before every text, which is not converted; take another file"
        )
    pieces, begin = file.field("tokenizer.ggml.tokens"), int(file.field("tokenizer.ggml.bos_token_id"))
    merges = list(merges_of(pieces, file.field("tokenizer.ggml.scores"), file.field("tokenizer.ggml.token_type")))
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    unknown = pieces[int(file.field("tokenizer.ggml.unknown_token_id"))]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token=unknown, fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    if file.field("tokenizer.ggml.add_bos_token"):
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{pieces[begin]} $A",
            pair=f"{pieces[begin]} $A {pieces[begin]}:1 $B:1",
            special_tokens=[(pieces[begin], begin)],
        )
    return tokenizer


def merges_of(pieces: Sequence[str], scores: Sequence[float], types: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Merges in the order in which SentencePiece makes them: best score of the whole first.

    Two ways to cut one piece have the same score, and SentencePiece takes what stands further left in the text; among
    them the order here is that of the longer first part.
    """
    normal = {piece for piece, kind in zip(pieces, types, strict=True) if kind == NORMAL}
    ranked = sorted((-score, number) for number, (score, kind) in enumerate(zip(scores, types, strict=True))
                    if kind == NORMAL and len(pieces[number]) > 1)  # fmt: skip
    for _, number in ranked:
        piece = pieces[number]
        for cut in range(len(piece) - 1, 0, -1):
            if piece[:cut] in normal and piece[cut:] in normal:
                yield piece[:cut], piece[cut:]


def _with_added_tokens(tokenizer: Any, file: GgufFile) -> Any:
    """Tokens that stand whole wherever they are: special ones, and those given by the user."""
    from tokenizers import AddedToken

    kinds = zip(file.field("tokenizer.ggml.tokens"), file.field("tokenizer.ggml.token_type"), strict=True)
    added = [(piece, kind) for piece, kind in kinds if kind in (CONTROL, GIVEN)]
    tokenizer.add_tokens([AddedToken(piece, normalized=False, special=kind == CONTROL) for piece, kind in added])
    return tokenizer
