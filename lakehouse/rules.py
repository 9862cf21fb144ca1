"""The versions of the engine's rules that decide rows. They are parts of the fingerprints of what decides rows.

Whoever changes code in a way that makes other rows of the same input raises the number: then the tables are made anew.
``tests/unit/test_rules.py`` notices such a change of the code.
"""

#: Of what a registry's transformers call: each gold table is rebuilt.
RULES = 1
#: Of silver: casts, checks, policies, which row of a key counts, versions: each silver table is made anew from raw.
SILVER_RULES = 3
#: Of what learns: each model is trained again.
MODEL_RULES = 1
