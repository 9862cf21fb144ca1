"""The contract of the documents that the tests of both clients bring into the lake."""

ORDERS = """
key: [id]
cursor: updated_at
overlap: 1 hour
deletes: {max_share: 1}
columns:
  id: {source: _id}
  updated_at: timestamp
  amount: {type: "decimal(10,2)"}
  city: {source: store.city}
"""
