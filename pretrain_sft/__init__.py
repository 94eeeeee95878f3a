"""From a base model to a translation model before reinforcement learning.

Continued pretraining, supervised fine-tuning, language-aware tuning and preference optimisation, each a
`BatchSource` (what to train on at step k) handed to the one training loop in `loop`.
"""
