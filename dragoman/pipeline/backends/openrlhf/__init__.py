"""Reinforcement learning by OpenRLHF's own trainer (`rl.backend: openrlhf`).

flags     the recipe as OpenRLHF's arguments; what cannot be carried over is refused, what differs is said
door      a Ray actor with our prompts and reward pools, and the log of samples
executor  what OpenRLHF's rollout workers call in place of their own reward code: it asks the door
process   the trainer as a process of its own, watched until it ends
run       the stage: prompts out, checkpoint, metrics and samples back
"""
