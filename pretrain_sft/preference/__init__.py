"""Preference optimisation: pairs from the policy's own samples, ordered by the rewards.

    prompts -> k samples each from the parent policy -> rewards (`sampling`)
            -> the best of each prompt against worse ones (`pairs`)
            -> reference log-probs under the parent -> DPO or WPO (`source`) -> accuracy on held-out pairs (`accuracy`)

As in WPO's hybrid recipe (arXiv 2406.11827): among equally good answers the shortest is chosen, among equally bad ones
that of the closest length, so that length is not what is learned. A part of the prompts is held out, and the best
answer to each of those is compared with every worse one. The pairs are written to `pairs.jsonl` once, so a resumed
stage trains on the same ones.
"""
