SELECT warehouse_id, name, country, city FROM silver.warehouses
UNION ALL
SELECT -1, NULL, NULL, NULL
