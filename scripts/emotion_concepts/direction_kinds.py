"""Kinds of directions, as every table of steering names them. Light: what only reads such a table needs no more."""

UNSTEERED, CONCEPT = "unsteered", "concept"
CONTROLS = ("random", "orthogonal", "shuffled")
