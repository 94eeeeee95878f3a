"""Translation rewards: quality against references (quality.py) and gates against known cheats (guards.py)."""
