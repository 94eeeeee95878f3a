"""Rewards of a user's own that rows name: known before any row is checked."""

import json

from dragoman.data.rows import read_prompts
from dragoman.pipeline.run_command import open_recipe

REWARD = """
def brief_enough_for_this_test(response, most):
    return float(len(response) <= most)
"""


def test_rows_may_name_the_reward_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(REWARD)
    row = {
        "id": "a", "messages": [{"role": "user", "content": "Say something."}],
        "rewards": [{"kind": "brief_enough_for_this_test", "args": {"most": 9}}],
    }  # fmt: skip
    (tmp_path / "rl.jsonl").write_text(json.dumps(row) + "\n")
    recipe, _ = open_recipe(None, [], str(tmp_path), [f"{tmp_path / 'mine.py'}:brief_enough_for_this_test"])
    (prompt,) = read_prompts(tmp_path / "rl.jsonl")
    assert [spec.kind for spec in prompt.specs] == ["brief_enough_for_this_test"]
    assert recipe.rewards.plugins
