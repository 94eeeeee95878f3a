"""From a recipe to a report: which stages are needed, in what order, and what each one does.

The only room that knows all the others. `rl/train.py`, `pretrain_sft/train.py` and the `dragoman` command
are thin doors into it.
"""
