"""Mixtures, encoding, wrong directions, pairs."""

import asyncio
import itertools
import json
from collections import Counter, defaultdict
from random import Random

import numpy as np
import pytest

from dragoman.data.mixtures import MixturePlan, counts_by_share, plan_examples, tempered
from dragoman.data.rows import Conversation, DataError, EncodedPrompt, ParallelPair, Prompt
from dragoman.learner.encoding import EncodingError, encode_chat, encode_documents, encode_prompt, loss_tokens
from dragoman.learner.losses import CrossEntropy
from dragoman.rollout import Completion
from dragoman.text.wordings import translation_instruction
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import RowLimit
from pretrain_sft.instructions import redirect
from pretrain_sft.language_aware import LanguageAwareSource
from pretrain_sft.mixture_source import MixtureSource
from pretrain_sft.preference.accuracy import accuracy, reward_accuracy
from pretrain_sft.preference.pairs import (
    Answer,
    Pair,
    check_pairs,
    pairs_of,
    ranked_pairs,
    read_pairs,
    read_sampled,
    write_pairs,
    write_sampled,
)
from pretrain_sft.preference.sampling import sample_answers
from pretrain_sft.ptx import PtxSource
from pretrain_sft.settings import ContinuedSettings, LanguageAwareSettings, PreferenceSettings, PtxSettings
from pretrain_sft.tokenizer import train_tokenizer
from rewards.records import Score


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["Translate the following text from German to English.\nDas ist gut. 12 + 34"] * 9, 400)


def test_token_shares_are_within_one_percent_of_the_recipe():
    rng = np.random.default_rng(0)
    lengths = {name: rng.integers(5, 60, n).tolist() for name, n in (("mono", 900), ("para", 700), ("inst", 50))}
    shares = {"mono": 0.66, "para": 0.33, "inst": 0.01}
    plan = MixturePlan(lengths, shares, batch_tokens=5000, steps=200, seed=3)
    tokens = dict.fromkeys(shares, 0)
    for step in map(plan.step, range(200)):
        for name, index in step:
            tokens[name] += lengths[name][index]
    total = sum(tokens.values())
    assert total == pytest.approx(1_000_000, rel=0.001)
    for name, share in shares.items():
        assert tokens[name] / total == pytest.approx(share, abs=0.01)
        assert plan.shares()[name] == tokens[name] / total


def walked(lengths, shares, batch_tokens, steps, seed):
    """The plan document by document."""
    names = list(shares)

    def stream(name):
        for epoch in itertools.count():
            order = list(range(len(lengths[name])))
            Random(f"{seed}/{name}/{epoch}").shuffle(order)
            yield from order

    streams, taken, plan = {name: stream(name) for name in names}, dict.fromkeys(names, 0), []
    for step in range(steps):
        chosen = []
        for name in names:
            while taken[name] < shares[name] * batch_tokens * (step + 1) or (not chosen and name == names[-1]):
                index = next(streams[name])
                chosen.append((name, index))
                taken[name] += lengths[name][index]
        plan.append(chosen)
    return plan


@pytest.mark.parametrize("batch_tokens", [3, 40, 700, 5000])
def test_a_plan_is_what_walking_through_the_documents_gives(batch_tokens):
    rng = np.random.default_rng(batch_tokens)
    lengths = {"a": rng.integers(0, 60, 41).tolist(), "b": rng.integers(1, 9, 13).tolist(), "c": [500]}
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    plan = MixturePlan(lengths, shares, batch_tokens, 60, seed=5)
    assert [plan.step(n) for n in range(60)] == walked(lengths, shares, batch_tokens, 60, 5)
    assert plan.step(17) == plan.step(17)


def test_an_epoch_reads_everything_once_and_plans_repeat_for_a_seed():
    shorter, longer = (MixturePlan({"a": [10] * 30}, {"a": 1.0}, 50, steps, seed=0) for steps in (6, 12))
    plan, again = [shorter.step(n) for n in range(6)], [longer.step(n) for n in range(12)]
    assert sorted(index for step in plan for _, index in step) == list(range(30))
    assert again[:6] == plan  # a longer run begins like a shorter one
    assert again[6:] != plan
    assert sorted(i for step in plan_examples(7, 7, 1, seed=0) for i in step) == list(range(7))


def test_a_source_without_documents_is_named():
    with pytest.raises(ValueError, match="no documents in mono"):
        MixturePlan({"mono": [], "para": [3]}, {"mono": 0.5, "para": 0.5}, 10, 1, 0)


def test_loss_falls_on_the_answer_and_its_end_token(tokenizer):
    messages = [{"role": "user", "content": "12 + 34"}, {"role": "assistant", "content": "Das ist gut."}]
    sequence = encode_chat(tokenizer, messages)
    answer = sequence.token_ids[sequence.channels["loss_mask"] == 1]
    assert tokenizer.decode(answer) == "Das ist gut.<|end|>"
    prompt = encode_prompt(tokenizer, messages[:1])
    assert sequence.token_ids[: len(prompt)].tolist() == prompt
    assert tokenizer.decode(prompt) == "<|user|>12 + 34<|end|><|assistant|>"


def test_a_chat_must_end_with_an_answer(tokenizer):
    with pytest.raises(EncodingError, match="row x: messages must end with the assistant"):
        encode_chat(tokenizer, [{"role": "user", "content": "hi"}], "x")


def test_documents_are_cut_and_end_with_the_end_token(tokenizer):
    pieces = encode_documents(tokenizer, ["Das ist gut. " * 30], 40, ["r"])
    assert all(len(p.token_ids) <= 40 for p in pieces)
    assert pieces[-1].token_ids[-1] == tokenizer.eos_token_id
    assert [loss_tokens(p) for p in pieces] == [len(p.token_ids) - 1 for p in pieces]
    assert tokenizer.decode(np.concatenate([p.token_ids for p in pieces])) == "Das ist gut. " * 30 + "<|end|>"


def test_digits_are_single_tokens(tokenizer):
    tokens = tokenizer.tokenize("12345")
    assert tokens == list("12345")


def row(content, source="Das ist gut."):
    messages = ({"role": "user", "content": content}, {"role": "assistant", "content": "That is good."})
    return Conversation("r", messages, pair=ParallelPair("de", "en", source, "That is good."))


@pytest.mark.parametrize("wording", range(3))
def test_a_wrong_direction_keeps_wording_text_and_source_language(wording):
    right = translation_instruction("de", "en", "Das ist gut.", wording)
    wrong = redirect(row(right), "fr")
    assert wrong == translation_instruction("de", "fr", "Das ist gut.", wording)


@pytest.mark.parametrize(
    ("content", "pair", "target", "wanted"),
    [
        ("Into Brazilian Portuguese: {}", ("de", "pt_BR"), "zh_Hans", "Into Simplified Chinese: {}"),
        ("{}\nAuf Deutsch, bitte.", ("en", "de"), "fr", "{}\nAuf Französisch, bitte."),
        ("请把这句话翻译成中文：{}", ("en", "zh"), "fr", "请把这句话翻译成法语：{}"),
        ("Turn this german text into French: {}", ("de", "fr"), "es", "Turn this German text into Spanish: {}"),
    ],
)
def test_languages_are_renamed_as_they_are_named(content, pair, target, wanted):
    text = "French, German, Deutsch, 中文"  # what is translated is never touched
    messages = ({"role": "user", "content": content.format(text)}, {"role": "assistant", "content": "x"})
    found = redirect(Conversation("r", messages, pair=ParallelPair(*pair, text, "x")), target)
    assert found == wanted.format(text)


def test_other_wordings_are_redirected_by_name_but_the_text_is_left_alone():
    text = "Say English in German!"
    content = f"Render this German sentence in English, please: {text}"
    assert redirect(row(content, text), "es") == f"Render this German sentence in Spanish, please: {text}"


def test_an_instruction_that_does_not_name_its_target_is_refused():
    with pytest.raises(DataError, match="does not name its target language 'en'"):
        redirect(row("Translate: Das ist gut."), "fr")


LAT = LanguageAwareSettings(batch_examples=12, replay={"sft": 0.5}, steps=8)


@pytest.mark.parametrize("rule", ["keep_source", "target_differs", "any"])
def test_language_aware_batches_pair_each_answer_with_a_wrong_instruction(tmp_path, rule):
    tokenizer = train_tokenizer(
        [translation_instruction(a, b, "x", 0) for a in ("de", "fr") for b in ("en", "es")], 400
    )
    rows = []
    for number, (a, b) in enumerate(
        [("de", "en"), ("en", "de"), ("fr", "en"), ("en", "fr"), ("es", "en"), ("en", "es")]
    ):
        content = translation_instruction(a, b, f"text {number}", 0)
        messages = [{"role": "user", "content": content}, {"role": "assistant", "content": f"answer {number}"}]
        rows.append({"id": f"r{number}", "source_language": a, "target_language": b, "source": f"text {number}",
                     "messages": messages})  # fmt: skip
    for name in ("lat", "sft"):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    section = LAT.model_copy(update={"negatives": rule})
    source = LanguageAwareSource(tmp_path, section, RowEncoder(tokenizer, RowLimit(128), tmp_path / "encoded"), seed=0)
    names = {"German": "de", "English": "en", "French": "fr", "Spanish": "es"}
    for step in range(8):
        (batch,) = source.batch(step)
        sequences = [unit[0] for unit in batch.units]
        assert len(sequences) == 6 + 2 * 6
        for right, wrong in zip(sequences[6::2], sequences[7::2], strict=True):
            said = []
            for s in (right, wrong):
                mask = s.channels["loss_mask"] == 1
                text = tokenizer.decode(s.token_ids[~mask])
                said.append((tokenizer.decode(s.token_ids[mask]), [names[w] for w in names if w in text], text))
            assert said[0][0] == said[1][0] and said[0][2] != said[1][2]
            assert right.channels["unlikelihood"].sum() == 0
            assert wrong.channels["unlikelihood"].sum() == loss_tokens(wrong)
            true, other = (next(t for r in [x] for t in [directions(x[2])]) for x in said)
            if rule == "keep_source":
                assert other[0] == true[0] and other[1] not in true
            if rule == "target_differs":
                assert other[1] != true[1]
        assert batch.counts["unlikelihood_tokens"] == sum(loss_tokens(s) for s in sequences[7::2])
        (again,) = source.batch(step)
        assert [u[0].token_ids.tolist() for u in again.units] == [s.token_ids.tolist() for s in sequences]


def test_examples_of_earlier_stages_come_by_share_and_by_mini_batch(tmp_path):
    tokenizer = train_tokenizer(["a b c d e f g h"] * 9, 300)
    for name in ("sft", "cpt_sums"):
        rows = [{"id": f"{name}{n}", "text": f"{name} {n}"} for n in range(7)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    section = PtxSettings(coefficient=0.5, batch_examples=5, mixture={"sft": 0.7, "cpt_sums": 0.3})
    source = PtxSource(tmp_path, section, RowEncoder(tokenizer, RowLimit(64), tmp_path / "encoded"), steps=9, seed=0)
    seen = Counter()
    for step in range(9):
        whole = source.objective(step)
        labels = [sequence.label for (sequence,) in whole.units]
        assert Counter(label.rstrip("0123456789") for label in labels) == {"sft": 4, "cpt_sums": 1}  # 3.5 and 1.5
        assert (whole.loss, whole.weight, whole.name) == (CrossEntropy(), 0.5, "ptx")
        assert whole.counts == {"tokens": sum(loss_tokens(sequence) for (sequence,) in whole.units)}
        parts = [[s.label for (s,) in source.objective(step, part, 2).units] for part in range(2)]
        assert sorted(parts[0] + parts[1]) == sorted(labels) and all(parts)
        seen.update(labels)
    assert {seen[f"sft{n}"] for n in range(7)} == {5, 6} and {seen[f"cpt_sums{n}"] for n in range(7)} == {1, 2}
    again = PtxSource(tmp_path, section, RowEncoder(tokenizer, RowLimit(64), tmp_path / "encoded"), steps=9, seed=0)
    assert [s.label for (s,) in again.objective(3).units] == [s.label for (s,) in source.objective(3).units]


@pytest.mark.parametrize(
    ("shares", "total", "dealt"),
    [
        ({"a": 1.0}, 7, {"a": 7}),
        ({"a": 0.5, "b": 0.25, "c": 0.25}, 4, {"a": 2, "b": 1, "c": 1}),
        ({"a": 0.6, "b": 0.4}, 4, {"a": 2, "b": 2}),  # 2.4 and 1.6
    ],
)
def test_counts_by_share_are_whole_and_add_up(shares, total, dealt):
    assert counts_by_share(shares, total) == dealt


def spared_batch(tmp_path, **changes):
    """One batch of a German to English row and two rows that make wrong targets possible, and the tokenizer."""
    texts = ["Paul liest 12 Seiten.", "Paul reads 12 pages."]
    tokenizer = train_tokenizer([*texts, translation_instruction("de", "en", texts[0], 0)] * 9, 400)
    content = translation_instruction("de", "en", texts[0], 0)
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": texts[1]}]
    row = {"id": "r", "source_language": "de", "target_language": "en", "source": texts[0], "messages": messages}
    others = []
    for code in ("fr", "es"):
        asked = {"role": "user", "content": translation_instruction("de", code, texts[0], 0)}
        others.append({**row, "id": code, "target_language": code, "messages": [asked, messages[1]]})
    for name, rows in (("lat", [row, *others]), ("sft", [row])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    given = {"batch_examples": 3, "replay": {}, "steps": 1, "spare_copied": True, **changes}
    section = LAT.model_copy(update=given)
    (batch,) = LanguageAwareSource(
        tmp_path, section, RowEncoder(tokenizer, RowLimit(128), tmp_path / "encoded"), seed=0
    ).batch(0)
    return batch, tokenizer


def test_copied_tokens_are_spared_by_the_unlikelihood_only(tmp_path):
    batch, tokenizer = spared_batch(tmp_path)
    for unit_right, unit_wrong in zip(batch.units[::2], batch.units[1::2], strict=True):
        right, wrong = unit_right[0], unit_wrong[0]
        penalised = tokenizer.decode(wrong.token_ids[wrong.channels["unlikelihood"] == 1])
        assert all(shared not in penalised for shared in ("Paul", "1", "2", ".")) and "reads" in penalised
        assert tokenizer.decode(right.token_ids[right.channels["loss_mask"] == 1]).startswith("Paul reads 12 pages.")
    penalised_tokens = sum(float(unit[0].channels["unlikelihood"].sum()) for unit in batch.units)
    assert batch.counts["unlikelihood_tokens"] == penalised_tokens > 0
    assert batch.counts["tokens"] == sum(loss_tokens(unit[0]) for unit in batch.units[::2])


def test_unlikelihood_of_the_first_tokens_leaves_the_rest_of_the_wrong_answer_without_loss(tmp_path):
    whole, _ = spared_batch(tmp_path)
    batch, _ = spared_batch(tmp_path, decision_tokens=2)
    for number, (unit, reference) in enumerate(zip(batch.units, whole.units, strict=True)):
        found, all_of_it = unit[0].channels, reference[0].channels
        if number % 2 == 0:  # under the right instruction nothing changes
            assert np.array_equal(found["loss_mask"], all_of_it["loss_mask"])
            continue
        first = np.flatnonzero(all_of_it["unlikelihood"])[:2]
        assert np.flatnonzero(found["unlikelihood"]).tolist() == first.tolist()
        assert np.flatnonzero(found["loss_mask"]).tolist() == first.tolist()
    assert batch.counts["unlikelihood_tokens"] == 2 * 3
    assert batch.counts["tokens"] == whole.counts["tokens"]


def directions(text):
    """(source, target) named by wording 0."""
    words = text.split("from ")[1].split(".")[0].split(" to ")
    return words[0], words[1]


def answer(reward, length=5):
    return Answer(tuple(range(length)), "t", reward)


def test_best_and_worst_prefer_short_winners_and_losers_of_like_length():
    answers = [answer(1.0, 9), answer(1.0, 4), answer(0.2, 30), answer(0.2, 5), answer(0.6, 4)]
    assert ranked_pairs(answers, margin=0.1) == [(answers[1], answers[3])]


def test_the_best_is_paired_with_each_different_worse_answer_the_worst_first():
    answers = [answer(1.0, 4), answer(0.6, 6), answer(0.2, 5), answer(0.2, 5), answer(0.95, 7)]
    expected = [(answers[0], answers[2]), (answers[0], answers[1])]  # the second 0.2 is the same text, 0.95 too close
    assert ranked_pairs(answers, margin=0.1, most=9) == expected
    assert ranked_pairs(answers, margin=0.1, most=1) == expected[:1]


def test_no_pair_without_a_margin():
    assert ranked_pairs([answer(0.5), answer(0.55, 6)], margin=0.1) == []
    assert ranked_pairs([answer(0.5)], margin=0.0) == []
    assert ranked_pairs([answer(0.5), answer(0.1, 6)], margin=0.1, minimum=0.6) == []
    assert len(ranked_pairs([answer(0.6), answer(0.1, 6)], margin=0.1, minimum=0.6)) == 1


class FakeRollout:
    """Answers the prompt's k-th sample with k further tokens, the last prompt not at all."""

    async def generate_many(self, prompts, sampling, seeds):
        count: Counter = Counter()
        done = []
        for prompt in prompts:
            count[tuple(prompt)] += 1
            k = count[tuple(prompt)]
            reason = "length" if prompt[-1] == 199 else "stop"
            done.append(Completion(tuple(range(k)), (0.0,) * k, f"{prompt[-1]}/{k}", reason, 0, 0))
        return done


class FakePools:
    """The k-th sample earns 1/k."""

    async def score_group(self, prompt, responses):
        for text in responses:
            assert text.startswith(prompt.id + "/"), "an answer is scored with its own prompt"
        return [Score(prompt.id, 1 / int(text.split("/")[1]), ()) for text in responses]


def sampled_pairs(prompts, settings):
    sampled = asyncio.run(sample_answers(prompts, settings, FakeRollout(), FakePools(), 0, 0.0))
    return pairs_of(sampled, settings, seed=0)


def test_answers_that_were_cut_are_kept_apart_counted_and_used_if_wanted(tmp_path):
    asked = [Prompt(str(k), ({"role": "user", "content": str(k)},), (), {}) for k in range(199, 201)]
    prompts = [EncodedPrompt(asked[0], (1, 199)), EncodedPrompt(asked[1], (1, 200))]
    settings = PreferenceSettings(samples=4, max_tokens=8, margin=0.05)
    sampled = asyncio.run(sample_answers(prompts, settings, FakeRollout(), FakePools(), 0, 0.0))
    assert [(len(one.answers), len(one.cut)) for one in sampled] == [(0, 4), (4, 0)]
    write_sampled(tmp_path / "answers.jsonl", sampled)
    assert read_sampled(tmp_path / "answers.jsonl") == sampled
    assert {pair.id for pair in pairs_of(sampled, settings, 0)} == {"200"}
    keeping = settings.model_copy(update={"keep_cut": True})
    assert {pair.id for pair in pairs_of(sampled, keeping, 0)} == {"199", "200"}
    told = r"in 4 answers to 1 prompts, of which 4 ran to max_tokens; raise preference\.max_tokens=8.*keep_cut=true"
    with pytest.raises(DataError, match=told):
        check_pairs([], sampled[:1], settings)
    with pytest.raises(DataError, match=r"0 ran to max_tokens; raise preference\.prompts or samples, or lower"):
        check_pairs([], sampled[1:], settings)


def test_pairs_of_many_slices_belong_to_their_prompts_and_heldout_ones_have_all_their_pairs():
    asked = [Prompt(str(k), ({"role": "user", "content": str(k)},), (), {}) for k in range(200)]
    prompts = [EncodedPrompt(prompt, (1, int(prompt.id))) for prompt in asked]
    settings = PreferenceSettings(samples=4, max_tokens=8, heldout_share=0.3, margin=0.05)
    pairs = sampled_pairs(prompts, settings)
    of = defaultdict(list)
    for pair in pairs:
        assert pair.prompt_ids == (1, int(pair.id))
        assert pair.chosen.reward == 1
        of[pair.id].append(pair.rejected.reward)
    assert set(of) == {str(k) for k in range(199)}, "cut-off answers give no pair"
    heldout = {pair.id for pair in pairs if pair.heldout}
    assert 30 < len(heldout) < 90
    assert all(rewards == ([1 / 4, 1 / 3, 1 / 2] if id in heldout else [1 / 4]) for id, rewards in of.items())


def test_other_wordings_of_a_held_out_question_are_held_out_too():
    asked = [Prompt(str(k), ({"role": "user", "content": str(k)},), (), {}, cluster=f"q{k // 4}") for k in range(160)]
    prompts = [EncodedPrompt(prompt, (1, int(prompt.id))) for prompt in asked]
    settings = PreferenceSettings(samples=2, max_tokens=8, heldout_share=0.3, margin=0.05)
    pairs = sampled_pairs(prompts, settings)
    questions = defaultdict(set)
    for pair in pairs:
        questions[int(pair.id) // 4].add(pair.heldout)
    assert all(len(sides) == 1 for sides in questions.values())
    assert {side for sides in questions.values() for side in sides} == {True, False}


def test_pairs_survive_the_file(tmp_path):
    pairs = [Pair("a", (1, 2), answer(1.0), answer(0.0), True), Pair("b", (3,), answer(0.9), answer(0.1), False)]
    write_pairs(tmp_path / "pairs.jsonl", pairs)
    assert read_pairs(tmp_path / "pairs.jsonl") == pairs


def test_accuracy_compares_log_probs_per_token_and_counts_ties_half():
    pair = Pair("a", (1,), answer(1.0, 2), answer(0.0, 4), True)
    better = (np.array([0, -1.0, -1.0]), np.array([0, -2.0, -1.0, -1.0, -1.0]))
    worse = (np.array([0, -3.0, -1.0]), np.array([0, -1.0, -1.0, -1.0, -1.0]))
    tie = (np.array([0, -1.0, -1.0]), np.array([0, -1.0, -1.0, -1.0, -1.0]))
    assert accuracy([pair] * 3, [better, worse, tie]) == pytest.approx(0.5)
    assert accuracy([pair], [better]) == 1.0


def test_reward_accuracy_compares_with_the_reference_and_sums_over_tokens():
    reference = (np.array([0, -1.0, -1.0]), np.array([0, -1.0, -1.0, -1.0, -1.0]))
    wins = (np.array([0, -1.0, -1.5]), np.array([0, -1.0, -1.0, -1.0, -2.0]))  # -0.5 against -1
    loses = (np.array([0, -1.0, -1.5]), np.array([0, -1.0, -1.0, -1.0, -1.25]))  # -0.5 against -0.25
    assert reward_accuracy([wins, loses, loses, reference], [reference] * 4) == pytest.approx(1.5 / 4)


def test_shares_of_languages_are_raised_by_hand():
    # 9^(1/2) = 3 and 1; 16, 81 and 1 to the power of a quarter: 2, 3 and 1
    assert tempered({"de": 9.0, "cs": 1.0}, 2) == pytest.approx({"de": 0.75, "cs": 0.25})
    assert tempered({"a": 16.0, "b": 81.0, "c": 1.0, "d": 0.0}, 4) == pytest.approx(
        {"a": 2 / 6, "b": 3 / 6, "c": 1 / 6}
    )
    assert tempered({"de": 9.0, "cs": 1.0}, 1) == pytest.approx({"de": 0.9, "cs": 0.1})
    assert tempered({"de": 9e6, "cs": 1e6}, 3.3) == pytest.approx({"de": 0.66, "cs": 0.34}, abs=0.005)


def mixed_languages(folder, tokenizer):
    """A file of documents: much German, little Czech, and text that says no language."""
    texts = [("de", 90), ("cs", 10), ("", 25)]
    rows = [
        {"id": f"{code}-{n}", "text": f"word number {n} of them", **({"language": code} if code else {})}
        for code, count in texts
        for n in range(count)
    ]
    folder.mkdir()
    (folder / "cpt_mono.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return RowEncoder(tokenizer, RowLimit(64), folder / "cache")


def test_a_temperature_gives_a_small_language_more_and_silent_rows_their_own(tmp_path, tokenizer):
    encoder = mixed_languages(tmp_path / "data", tokenizer)

    def shares(temperature):
        settings = ContinuedSettings(
            mixture={"cpt_mono": 1.0}, batch_tokens=512, steps=200, language_temperature=temperature
        )
        return MixtureSource(tmp_path / "data", settings, encoder, 0).plan.shares()

    assert shares(1) == {"cpt_mono": 1}
    rows = encoder.file(tmp_path / "data" / "cpt_mono.jsonl")
    tokens = {name: rows.lengths[found].sum() for name, found in rows.by_language().items()}
    silent = tokens[""] / sum(tokens.values())
    ratio = (tokens["de"] / tokens["cs"]) ** 0.5
    wanted = {
        "cpt_mono": silent, "cpt_mono/de": (1 - silent) * ratio / (1 + ratio), "cpt_mono/cs": (1 - silent) / (1 + ratio)
    }  # fmt: skip
    assert shares(2) == pytest.approx(wanted, abs=0.01)


def test_examples_of_a_tempered_mixture_are_the_rows_of_their_language(tmp_path, tokenizer):
    encoder = mixed_languages(tmp_path / "data", tokenizer)
    settings = ContinuedSettings(mixture={"cpt_mono": 1.0}, batch_tokens=512, steps=3, language_temperature=5)
    source = MixtureSource(tmp_path / "data", settings, encoder, 0)
    for step in range(3):
        (objective,) = source.batch(step)
        labels = [unit[0].label for unit in objective.units]
        named = [name.rpartition("/")[2] if "/" in name else "" for name, _ in source.plan.step(step)]
        assert labels and [label.partition("-")[0] for label in labels] == named
