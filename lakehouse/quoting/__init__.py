"""How names and values are written in SQL: one module for each dialect that the engine itself builds text in."""
