-- description: Warehouses, and the unknown one.
-- grain: [warehouse_key]
-- columns:
--   warehouse_key: Hash of warehouse_id; -1 for the unknown warehouse.
--   warehouse_id: The shop's number; -1 for the unknown warehouse.
--   name: Name.
--   country: Where it stands.
--   city: Where it stands.
SELECT xxhash64(CAST(warehouse_id AS STRING)) AS warehouse_key, warehouse_id, name, country, city FROM silver.warehouses
UNION ALL
SELECT CAST(-1 AS BIGINT), -1, NULL, NULL, NULL
