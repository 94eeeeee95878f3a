"""The table of verifiable translation instructions, whose ids are `mt:…`.

A check is a small pure function `(response, source, **kwargs) -> bool | None`; None means that the text gives no
evidence either way (not applicable). `source` is empty when the row has none and the check can do without.
"""

from rewards.constraints.registry import Instructions

TRANSLATION_INSTRUCTIONS = Instructions()
translation_instruction = TRANSLATION_INSTRUCTIONS.register
