-- Sales by the day an order was placed (a refund: the day it was paid out), its items' category and its country.
WITH items AS (
    SELECT
        (o.placed_at AT TIME ZONE 'UTC')::date AS date,
        p.category_id,
        o.country,
        o.order_id,
        o.status = 'cancelled' AS is_cancelled,
        i.quantity,
        i.quantity * i.unit_price AS gmv,
        i.discount
    FROM shop.order_items i
    JOIN shop.orders o USING (order_id)
    JOIN shop.products p USING (product_id)
),
sold AS (
    SELECT
        date, category_id, country,
        count(DISTINCT order_id) FILTER (WHERE NOT is_cancelled) AS orders,
        count(DISTINCT order_id) FILTER (WHERE is_cancelled) AS cancelled_orders,
        sum(quantity) FILTER (WHERE NOT is_cancelled) AS units,
        sum(gmv) FILTER (WHERE NOT is_cancelled) AS gmv,
        sum(discount) FILTER (WHERE NOT is_cancelled) AS discounts
    FROM items
    GROUP BY date, category_id, country
),
refunded AS (
    SELECT
        (r.paid_out_at AT TIME ZONE 'UTC')::date AS date,
        p.category_id,
        o.country,
        sum(r.amount) AS refunds
    FROM shop.refunds r
    JOIN shop.order_items i USING (order_item_id)
    JOIN shop.orders o USING (order_id)
    JOIN shop.products p USING (product_id)
    WHERE r.status = 'paid_out' AND r.paid_out_at IS NOT NULL AND o.status <> 'cancelled'
    GROUP BY 1, 2, 3
),
both_sides AS (
    SELECT
        date, category_id, country,
        coalesce(orders, 0) AS orders,
        coalesce(cancelled_orders, 0) AS cancelled_orders,
        coalesce(units, 0) AS units,
        coalesce(gmv, 0.00) AS gmv,
        coalesce(discounts, 0.00) AS discounts,
        coalesce(refunds, 0.00) AS refunds
    FROM sold
    FULL JOIN refunded USING (date, category_id, country)
)
SELECT
    b.date,
    b.category_id,
    c.name AS category,
    b.country,
    b.orders,
    b.cancelled_orders,
    b.units,
    b.gmv,
    b.discounts,
    b.refunds,
    b.gmv - b.discounts - b.refunds AS net_revenue,
    round((b.gmv - b.discounts) / nullif(b.orders, 0), 2) AS aov
FROM both_sides b
JOIN shop.categories c USING (category_id)
ORDER BY b.date, b.category_id, b.country COLLATE "C"
