"""Parallel text of a team's own: files in the formats it has -> segments -> filters -> the files of every stage."""
