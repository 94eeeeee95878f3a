"""How checks are run: pools of Ray actors, their workers, killable children, separate Python environments."""
