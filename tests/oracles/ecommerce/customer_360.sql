-- A row for each customer whom the shop has; what is said of orders is said of those that count.
WITH as_of AS (
    SELECT max((placed_at AT TIME ZONE 'UTC')::date) AS today FROM shop.orders
),
counting AS (
    SELECT order_id, customer_id, placed_at, today - (placed_at AT TIME ZONE 'UTC')::date AS days_ago
    FROM shop.orders CROSS JOIN as_of
    WHERE status <> 'cancelled' AND customer_id IS NOT NULL
),
ordered AS (
    SELECT
        customer_id,
        min(placed_at) AS first_order_at,
        max(placed_at) AS last_order_at,
        count(*) AS orders,
        min(days_ago) AS recency_days,
        bool_or(days_ago < 90) AND bool_or(days_ago >= 90 AND days_ago < 180) AS retained
    FROM counting
    GROUP BY customer_id
),
refunded AS (
    SELECT order_item_id, sum(amount) AS amount FROM shop.refunds WHERE status = 'paid_out' GROUP BY order_item_id
),
returned AS (
    SELECT order_item_id, sum(quantity) AS units FROM shop.return_items GROUP BY order_item_id
),
items AS (
    SELECT
        c.customer_id,
        p.category_id,
        i.quantity AS units,
        i.quantity * i.unit_price AS gmv,
        i.discount,
        coalesce(f.amount, 0) AS refund,
        coalesce(b.units, 0) AS returned_units
    FROM counting c
    JOIN shop.order_items i USING (order_id)
    JOIN shop.products p USING (product_id)
    LEFT JOIN refunded f USING (order_item_id)
    LEFT JOIN returned b USING (order_item_id)
),
spent AS (
    SELECT
        customer_id,
        sum(gmv) AS gmv,
        sum(gmv) - sum(discount) AS paid,
        sum(gmv) - sum(discount) - sum(refund) AS ltv,
        sum(returned_units)::double precision / nullif(sum(units), 0) AS return_rate
    FROM items
    GROUP BY customer_id
),
favourite AS (
    SELECT DISTINCT ON (customer_id) customer_id, category_id
    FROM (
        SELECT customer_id, category_id, sum(units) AS units, sum(gmv) AS gmv
        FROM items
        GROUP BY customer_id, category_id
    ) AS by_category
    ORDER BY customer_id, units DESC, gmv DESC, category_id
),
buyers AS (
    SELECT
        o.*,
        coalesce(s.gmv, 0.00) AS gmv,
        coalesce(s.paid, 0.00) AS paid,
        coalesce(s.ltv, 0.00) AS ltv,
        s.return_rate,
        (extract(epoch FROM o.last_order_at - o.first_order_at) / 86400)::double precision
            / nullif(o.orders - 1, 0) AS mean_days
    FROM ordered o
    LEFT JOIN spent s USING (customer_id)
),
scored AS (
    -- rank() - 1 is how many stand strictly below; whole numbers divide with the fraction cut off
    SELECT
        *,
        1 + 5 * (rank() OVER (ORDER BY recency_days DESC) - 1) / count(*) OVER () AS r,
        1 + 5 * (rank() OVER (ORDER BY orders) - 1) / count(*) OVER () AS f,
        1 + 5 * (rank() OVER (ORDER BY ltv) - 1) / count(*) OVER () AS m,
        -- power() refuses what is too small for a double; 2^-1000 is nothing beside 1
        1 - power(2::double precision, greatest(-1000, -recency_days / greatest(1, coalesce(mean_days, 90))))
            AS churn_risk
    FROM buyers
)
SELECT
    c.customer_id,
    c.country,
    s.first_order_at,
    s.last_order_at,
    coalesce(s.orders, 0) AS orders,
    coalesce(s.gmv, 0.00) AS gmv,
    coalesce(s.ltv, 0.00) AS ltv,
    round(s.paid / s.orders, 2) AS aov, -- NULL without orders, like in sales_daily
    s.mean_days AS mean_days_between_orders,
    s.recency_days,
    s.r AS recency_quintile,
    s.f AS frequency_quintile,
    s.m AS monetary_quintile,
    CASE
        WHEN s.customer_id IS NULL THEN 'prospect'
        WHEN s.r >= 4 AND s.f >= 4 AND s.m >= 4 THEN 'champion'
        WHEN s.f >= 4 AND s.r >= 3 THEN 'loyal'
        WHEN s.orders = 1 AND s.r >= 4 THEN 'new'
        WHEN s.m = 5 AND s.r >= 3 THEN 'big_spender'
        WHEN s.r >= 3 THEN 'promising'
        WHEN s.f >= 4 OR s.m >= 4 THEN 'at_risk'
        ELSE 'hibernating'
    END AS segment,
    coalesce(s.retained, false) AS retained,
    s.churn_risk,
    v.category_id AS favourite_category_id,
    g.name AS favourite_category,
    s.return_rate
FROM shop.customers c
LEFT JOIN scored s USING (customer_id)
LEFT JOIN favourite v USING (customer_id)
LEFT JOIN shop.categories g ON g.category_id = v.category_id
ORDER BY c.customer_id
