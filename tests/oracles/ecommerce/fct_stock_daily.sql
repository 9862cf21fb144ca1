-- Level and value at the end of each UTC day, from a pair's first movement to the day of the last movement of all.
WITH changes AS (
    SELECT
        (moved_at AT TIME ZONE 'UTC')::date AS date,
        product_id,
        warehouse_id,
        sum(quantity) AS quantity,
        sum(quantity * unit_cost) AS value
    FROM shop.inventory_movements
    GROUP BY 1, 2, 3
),
pairs AS (
    SELECT product_id, warehouse_id, min(date) AS first_day FROM changes GROUP BY product_id, warehouse_id
),
days AS (
    SELECT first_day + n AS date, product_id, warehouse_id
    FROM pairs
    CROSS JOIN (SELECT max(date) AS last_day FROM changes) AS latest
    CROSS JOIN LATERAL generate_series(0, last_day - first_day) AS n
)
SELECT
    date,
    product_id,
    warehouse_id,
    (sum(c.quantity) OVER so_far)::bigint AS quantity,
    sum(c.value) OVER so_far AS value
FROM days
LEFT JOIN changes c USING (date, product_id, warehouse_id)
WINDOW so_far AS (PARTITION BY product_id, warehouse_id ORDER BY date ROWS UNBOUNDED PRECEDING)
ORDER BY date, product_id, warehouse_id
