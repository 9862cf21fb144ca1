-- description: Carriers, and the unknown one.
-- grain: [carrier_key]
-- columns:
--   carrier_key: Hash of carrier_id; -1 for the unknown carrier.
--   carrier_id: The shop's number; -1 for the unknown carrier.
--   name: Name.
--   promised_days: Days within which the carrier promises to deliver.
SELECT xxhash64(CAST(carrier_id AS STRING)) AS carrier_key, carrier_id, name, promised_days FROM silver.carriers
UNION ALL
SELECT CAST(-1 AS BIGINT), -1, NULL, NULL
