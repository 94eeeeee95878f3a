"""Reinforcement learning with verifiable rewards: one controller, two pumps (see `rl.controller`).

This folder is also a script folder (`python rl/train.py` puts it first on sys.path), so no module in it
may have the name of a module of the standard library or of a dependency.
"""
