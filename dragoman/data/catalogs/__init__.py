"""Real text for every stage: interface catalogs of free software, Bible versions, programming tasks, from packages."""
