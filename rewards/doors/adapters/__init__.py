"""Doors to other trainers, in both directions.

Inward (`foreign.py`): a reward written for TRL, verl, OpenRLHF or verifiers runs here unchanged.
Outward (`trl.py`, `verl.py`, `openrlhf.py`): any reward of this project serves those trainers. They score in
reward pools of the process they run in, or at a reward service (`dragoman rewards serve`) when
DRAGOMAN_REWARDS_URL names one; see `scoring.py`.
"""
