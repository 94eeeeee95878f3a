"""Other RL engines behind the same stage: the recipe handed over, their checkpoint brought back."""
