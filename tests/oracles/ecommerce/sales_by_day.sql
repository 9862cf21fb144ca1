-- Sales by day over everything; an order counts once, whatever the number of its categories.
WITH placed AS (
    SELECT
        (placed_at AT TIME ZONE 'UTC')::date AS date,
        count(*) FILTER (WHERE status <> 'cancelled') AS orders,
        count(*) FILTER (WHERE status = 'cancelled') AS cancelled_orders
    FROM shop.orders
    GROUP BY 1
),
sold AS (
    SELECT
        (o.placed_at AT TIME ZONE 'UTC')::date AS date,
        sum(i.quantity) AS units,
        sum(i.quantity * i.unit_price) AS gmv,
        sum(i.discount) AS discounts
    FROM shop.order_items i
    JOIN shop.orders o USING (order_id)
    WHERE o.status <> 'cancelled'
    GROUP BY 1
),
refunded AS (
    SELECT (r.paid_out_at AT TIME ZONE 'UTC')::date AS date, sum(r.amount) AS refunds
    FROM shop.refunds r
    JOIN shop.order_items i USING (order_item_id)
    JOIN shop.orders o USING (order_id)
    WHERE r.status = 'paid_out' AND r.paid_out_at IS NOT NULL AND o.status <> 'cancelled'
    GROUP BY 1
),
days AS (
    SELECT
        date,
        coalesce(orders, 0) AS orders,
        coalesce(cancelled_orders, 0) AS cancelled_orders,
        coalesce(units, 0) AS units,
        coalesce(gmv, 0.00) AS gmv,
        coalesce(discounts, 0.00) AS discounts,
        coalesce(refunds, 0.00) AS refunds
    FROM placed
    LEFT JOIN sold USING (date)
    FULL JOIN refunded USING (date)
)
SELECT
    date,
    orders,
    cancelled_orders,
    units,
    gmv,
    discounts,
    refunds,
    gmv - discounts - refunds AS net_revenue,
    round((gmv - discounts) / nullif(orders, 0), 2) AS aov
FROM days
ORDER BY date
