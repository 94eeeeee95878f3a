"""Language-aware tuning that goes on beside another loss."""

import json
from collections import Counter

from dragoman.learner.encoding import loss_tokens
from dragoman.learner.losses import LanguageAware
from dragoman.text.wordings import translation_instruction
from pretrain_sft.direction_replay import DirectionReplay
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import RowLimit
from pretrain_sft.settings import DirectionReplaySettings, LanguageAwareSettings
from pretrain_sft.tokenizer import train_tokenizer


def test_direction_replay_is_language_aware_tuning_without_replayed_data(tmp_path):
    """Its objective on all places of a step is the one of the stage `lat`, but for the weight and the name."""
    texts = [f"text {n}" for n in range(5)]
    tokenizer = train_tokenizer([translation_instruction("de", "en", text, 0) for text in texts] * 9, 400)
    rows = []
    for n, target in enumerate(["en", "fr", "es", "en", "fr"]):
        asked = {"role": "user", "content": translation_instruction("de", target, texts[n], 0)}
        rows.append({"id": f"r{n}", "source_language": "de", "target_language": target, "source": texts[n],
                     "messages": [asked, {"role": "assistant", "content": f"answer {n}"}]})  # fmt: skip
    (tmp_path / "lat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tuned = LanguageAwareSettings(batch_examples=3, replay={}, steps=6, decision_tokens=2)
    encoder = RowEncoder(tokenizer, RowLimit(128), tmp_path / "encoded")
    replay = DirectionReplay(
        tmp_path, DirectionReplaySettings(coefficient=0.3, batch_examples=3), tuned, encoder, steps=6, seed=0
    )

    def contents(objective):
        return [(s.label, s.token_ids.tolist(), s.channels["unlikelihood"].tolist()) for (s,) in objective.units]

    seen = Counter()
    for step in range(6):
        whole = replay.objective(step)
        assert (whole.weight, whole.name, whole.loss) == (0.3, "directions", LanguageAware(tuned.alpha))
        assert whole.counts == {"tokens": sum(loss_tokens(r) for (r,) in whole.units[::2]), "unlikelihood_tokens": 6}
        assert len(whole.units) == 6 and contents(replay.objective(step)) == contents(whole)
        parts = [contents(replay.objective(step, part, 2)) for part in range(2)]
        assert sorted(parts[0] + parts[1]) == sorted(contents(whole)) and len(parts[1]) == 2
        seen.update(label for label, _, _ in contents(whole)[::2])
    assert sorted(seen.values()) == [3, 3, 4, 4, 4]
