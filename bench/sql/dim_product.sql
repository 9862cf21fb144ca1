-- As products are now: without a history of versions.
SELECT product_id, sku, name, category_id, supplier_id, unit_price, unit_cost, is_active FROM silver.products
UNION ALL
SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL
