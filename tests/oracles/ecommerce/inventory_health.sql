-- Stock by product, warehouse and month, from the movements alone. All moments are UTC without zone.
WITH moved AS (
    SELECT
        product_id, warehouse_id, movement_id, kind, quantity,
        quantity * unit_cost AS value,
        moved_at AT TIME ZONE 'UTC' AS moved_at
    FROM shop.inventory_movements
),
horizon AS (
    SELECT date_trunc('day', max(moved_at)) + interval '1 day' AS moment FROM moved
),
levels AS (
    SELECT
        moved.*,
        sum(quantity) OVER (own ROWS UNBOUNDED PRECEDING) AS level,
        lead(moved_at, 1, horizon.moment) OVER own AS until
    FROM moved
    CROSS JOIN horizon
    WINDOW own AS (PARTITION BY product_id, warehouse_id ORDER BY moved_at, movement_id)
),
pairs AS (
    SELECT product_id, warehouse_id, min(moved_at)::date AS first_day FROM moved GROUP BY product_id, warehouse_id
),
months AS (
    -- to the month of the last day, the one before the horizon
    SELECT product_id, warehouse_id, month
    FROM pairs
    CROSS JOIN horizon
    CROSS JOIN LATERAL
        generate_series(date_trunc('month', first_day::timestamp), horizon.moment - interval '1 day', interval '1 month') AS month
),
changes AS (
    SELECT product_id, warehouse_id, moved_at::date AS day, sum(quantity) AS quantity, sum(value) AS value
    FROM moved
    GROUP BY 1, 2, 3
),
days AS (
    SELECT product_id, warehouse_id, first_day + n AS day
    FROM pairs
    CROSS JOIN horizon
    CROSS JOIN LATERAL generate_series(0, horizon.moment::date - 1 - first_day) AS n
),
ends_of_day AS (
    SELECT
        product_id, warehouse_id, day,
        sum(c.quantity) OVER so_far AS level,
        sum(c.value) OVER so_far AS value
    FROM days
    LEFT JOIN changes c USING (product_id, warehouse_id, day)
    WINDOW so_far AS (PARTITION BY product_id, warehouse_id ORDER BY day ROWS UNBOUNDED PRECEDING)
),
held AS (
    SELECT
        product_id, warehouse_id, date_trunc('month', day::timestamp) AS month,
        count(*) AS days,
        avg(level)::double precision AS average_stock,
        avg(value)::double precision AS average_stock_value
    FROM ends_of_day
    GROUP BY 1, 2, 3
),
traded AS (
    SELECT
        product_id, warehouse_id, date_trunc('month', moved_at) AS month,
        -sum(quantity) FILTER (WHERE kind = 'sale') AS units_sold,
        -sum(value) FILTER (WHERE kind = 'sale') AS cost_of_goods_sold,
        count(*) FILTER (WHERE level <= 0 AND level - quantity > 0) AS incidents
    FROM levels
    GROUP BY 1, 2, 3
),
out_of_stock AS (
    SELECT
        m.product_id, m.warehouse_id, m.month,
        sum(extract(epoch FROM least(l.until, m.month + interval '1 month') - greatest(l.moved_at, m.month))) / 3600
            AS hours
    FROM months m
    JOIN levels l USING (product_id, warehouse_id)
    WHERE l.level <= 0 AND l.moved_at < m.month + interval '1 month' AND l.until > m.month
    GROUP BY 1, 2, 3
)
SELECT
    m.product_id,
    m.warehouse_id,
    m.month::date AS month,
    coalesce(t.units_sold, 0) AS units_sold,
    coalesce(t.cost_of_goods_sold, 0.00) AS cost_of_goods_sold,
    h.average_stock,
    h.average_stock_value,
    CASE
        WHEN h.average_stock_value > 0
            THEN coalesce(t.cost_of_goods_sold, 0)::double precision / h.average_stock_value
    END AS turnover_rate,
    coalesce(t.incidents, 0) AS out_of_stock_incidents,
    coalesce(o.hours, 0)::double precision AS hours_out_of_stock,
    h.average_stock / (nullif(t.units_sold, 0)::double precision / h.days) AS days_on_hand,
    s.quantity AS stock_now
FROM months m
LEFT JOIN held h USING (product_id, warehouse_id, month)
LEFT JOIN traded t USING (product_id, warehouse_id, month)
LEFT JOIN out_of_stock o USING (product_id, warehouse_id, month)
LEFT JOIN shop.stock_levels s USING (product_id, warehouse_id)
ORDER BY m.product_id, m.warehouse_id, m.month
