SELECT carrier_id, name, promised_days FROM silver.carriers
UNION ALL
SELECT -1, NULL, NULL
