-- Level and value at the end of each day, from a pair's first movement to the day of the last movement of all.
WITH changes AS (
    SELECT product_id, warehouse_id, CAST(moved_at AS DATE) AS date, sum(quantity) AS moved, sum(quantity * unit_cost) AS moved_value
      FROM silver.inventory_movements GROUP BY product_id, warehouse_id, CAST(moved_at AS DATE)
), latest AS (
    SELECT max(date) AS last_day FROM changes
), pairs AS (
    SELECT product_id, warehouse_id, min(date) AS first_day FROM changes GROUP BY product_id, warehouse_id
), numbered AS (
    SELECT product_id, warehouse_id, first_day, explode(sequence(0, datediff(last_day, first_day))) AS n
      FROM pairs CROSS JOIN latest
), days AS (
    SELECT product_id, warehouse_id, first_day, first_day + n AS date FROM numbered
), levels AS (
    SELECT d.date, d.product_id, d.warehouse_id, d.first_day, coalesce(c.moved, 0) AS moved,
           sum(coalesce(c.moved, 0)) OVER so_far AS quantity, sum(coalesce(c.moved_value, 0)) OVER so_far AS value
      FROM days AS d
      LEFT JOIN changes AS c ON d.product_id = c.product_id AND d.warehouse_id = c.warehouse_id AND d.date = c.date
    WINDOW so_far AS (PARTITION BY d.product_id, d.warehouse_id ORDER BY d.date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT date, product_id, warehouse_id, CASE WHEN date > first_day THEN CAST(quantity - moved AS BIGINT) END AS opening_quantity,
       CAST(quantity AS BIGINT) AS quantity, CAST(value AS DECIMAL(18, 2)) AS value
  FROM levels
