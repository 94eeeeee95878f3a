"""What the four rooms at the top (`rl`, `rewards`, `pretrain_sft`, `cluster`) share.

    text, files                      import nothing of ours
    data, learner, rollout           stand on them
    evaluation                       stands on those and on `rewards`
    recipes                          composes the settings that the rooms declare
    pipeline                         knows all

`tests/test_architecture.py` holds the arrows; docs/design.md draws them.
"""
