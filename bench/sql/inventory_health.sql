WITH held AS (
    SELECT product_id, warehouse_id, CAST(date_trunc('month', date) AS DATE) AS month, count(*) AS days,
           CAST(sum(quantity) AS DOUBLE) / count(*) AS average_stock, CAST(sum(value) AS DOUBLE) / count(*) AS average_stock_value
      FROM gold.fct_stock_daily GROUP BY product_id, warehouse_id, CAST(date_trunc('month', date) AS DATE)
), horizon AS (
    SELECT CAST(CAST(max(moved_at) AS DATE) + 1 AS TIMESTAMP) AS moment FROM silver.inventory_movements
), levels AS (
    SELECT m.product_id, m.warehouse_id, m.kind, m.quantity, m.quantity * m.unit_cost AS value, m.moved_at,
           CAST(date_trunc('month', m.moved_at) AS DATE) AS month, sum(m.quantity) OVER so_far AS level,
           coalesce(lead(m.moved_at) OVER own, h.moment) AS until
      FROM silver.inventory_movements AS m CROSS JOIN horizon AS h
    WINDOW own AS (PARTITION BY m.product_id, m.warehouse_id ORDER BY m.moved_at, m.movement_id),
           so_far AS (PARTITION BY m.product_id, m.warehouse_id ORDER BY m.moved_at, m.movement_id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), traded AS (
    SELECT product_id, warehouse_id, month, -sum(quantity) FILTER (WHERE kind = 'sale') AS units_sold,
           -sum(value) FILTER (WHERE kind = 'sale') AS cost_of_goods_sold,
           count(*) FILTER (WHERE level <= 0 AND level - quantity > 0) AS incidents
      FROM levels GROUP BY product_id, warehouse_id, month
), out_of_stock AS (
    SELECT h.product_id, h.warehouse_id, h.month,
           sum(least(unix_micros(l.until), unix_micros(CAST(last_day(h.month) + 1 AS TIMESTAMP)))
               - greatest(unix_micros(l.moved_at), unix_micros(CAST(h.month AS TIMESTAMP)))) / 3.6e9 AS hours
      FROM held AS h
      JOIN levels AS l ON h.product_id = l.product_id AND h.warehouse_id = l.warehouse_id
     WHERE l.level <= 0 AND l.moved_at < CAST(last_day(h.month) + 1 AS TIMESTAMP) AND l.until > CAST(h.month AS TIMESTAMP)
     GROUP BY h.product_id, h.warehouse_id, h.month
)
SELECT h.product_id, h.warehouse_id, h.month, coalesce(t.units_sold, 0) AS units_sold,
       coalesce(t.cost_of_goods_sold, 0) AS cost_of_goods_sold, h.average_stock, h.average_stock_value,
       CASE WHEN h.average_stock_value > 0
            THEN CAST(coalesce(t.cost_of_goods_sold, 0) AS DOUBLE) / h.average_stock_value END AS turnover_rate,
       coalesce(t.incidents, 0) AS out_of_stock_incidents, coalesce(o.hours, 0) AS hours_out_of_stock,
       h.average_stock / (CAST(nullif(t.units_sold, 0) AS DOUBLE) / h.days) AS days_on_hand, s.quantity AS stock_now
  FROM held AS h
  LEFT JOIN traded AS t ON h.product_id = t.product_id AND h.warehouse_id = t.warehouse_id AND h.month = t.month
  LEFT JOIN out_of_stock AS o ON h.product_id = o.product_id AND h.warehouse_id = o.warehouse_id AND h.month = o.month
  LEFT JOIN silver.stock_levels AS s ON h.product_id = s.product_id AND h.warehouse_id = s.warehouse_id
