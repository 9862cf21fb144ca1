WITH as_of AS (
    SELECT CAST(max(placed_at) AS DATE) AS today FROM silver.orders
), ordered AS (
    SELECT o.customer_id, min(o.placed_at) AS first_order_at, max(o.placed_at) AS last_order_at, count(*) AS orders,
           min(datediff(a.today, CAST(o.placed_at AS DATE))) AS recency_days,
           bool_or(datediff(a.today, CAST(o.placed_at AS DATE)) < 90)
               AND bool_or(datediff(a.today, CAST(o.placed_at AS DATE)) BETWEEN 90 AND 179) AS retained
      FROM silver.orders AS o CROSS JOIN as_of AS a
     WHERE o.status <> 'cancelled' AND o.customer_id IS NOT NULL
     GROUP BY o.customer_id
), by_category AS (
    SELECT i.customer_id, p.category_id, sum(i.quantity) AS units, sum(i.gmv) AS gmv, sum(i.discount) AS discounts
      FROM gold.fct_order_items AS i JOIN silver.products AS p ON i.product_id = p.product_id
     WHERE NOT i.is_cancelled AND i.customer_id IS NOT NULL
     GROUP BY i.customer_id, p.category_id
), ranked AS (
    SELECT customer_id, category_id,
           row_number() OVER (PARTITION BY customer_id ORDER BY units DESC, gmv DESC, category_id) AS place
      FROM by_category
), spent AS (
    SELECT customer_id, sum(units) AS units, sum(gmv) AS gmv, sum(discounts) AS discounts FROM by_category GROUP BY customer_id
), refunded AS (
    SELECT customer_id, sum(amount) AS refunds FROM gold.fct_refunds WHERE counts GROUP BY customer_id
), returned AS (
    SELECT customer_id, sum(quantity) AS units FROM gold.fct_returns WHERE NOT is_cancelled GROUP BY customer_id
), buyers AS (
    SELECT o.*, coalesce(s.gmv, 0) AS gmv, coalesce(s.gmv, 0) - coalesce(s.discounts, 0) AS kept,
           coalesce(s.gmv, 0) - coalesce(s.discounts, 0) - coalesce(f.refunds, 0) AS ltv,
           CAST(coalesce(b.units, 0) AS DOUBLE) / nullif(s.units, 0) AS return_rate, v.category_id AS favourite_category_id,
           (unix_micros(o.last_order_at) - unix_micros(o.first_order_at)) / 8.64e10 / nullif(o.orders - 1, 0) AS mean_days
      FROM ordered AS o
      LEFT JOIN spent AS s ON o.customer_id = s.customer_id
      LEFT JOIN refunded AS f ON o.customer_id = f.customer_id
      LEFT JOIN returned AS b ON o.customer_id = b.customer_id
      LEFT JOIN ranked AS v ON o.customer_id = v.customer_id AND v.place = 1
), scored AS (
    SELECT *, 1 + CAST(floor(5 * (rank() OVER (ORDER BY recency_days DESC) - 1) / count(*) OVER ()) AS INT) AS r,
           1 + CAST(floor(5 * (rank() OVER (ORDER BY orders) - 1) / count(*) OVER ()) AS INT) AS f,
           1 + CAST(floor(5 * (rank() OVER (ORDER BY ltv) - 1) / count(*) OVER ()) AS INT) AS m,
           1 - power(2, -recency_days / greatest(1, coalesce(mean_days, 90))) AS churn_risk
      FROM buyers
)
SELECT c.customer_id, c.country, s.first_order_at, s.last_order_at, coalesce(s.orders, 0) AS orders,
       coalesce(s.gmv, 0) AS gmv, coalesce(s.ltv, 0) AS ltv, CAST(s.kept / s.orders AS DECIMAL(18, 2)) AS aov,
       s.mean_days AS mean_days_between_orders, s.recency_days, s.r AS recency_quintile, s.f AS frequency_quintile,
       s.m AS monetary_quintile,
       CASE WHEN s.customer_id IS NULL THEN 'prospect'
            WHEN s.r >= 4 AND s.f >= 4 AND s.m >= 4 THEN 'champion'
            WHEN s.f >= 4 AND s.r >= 3 THEN 'loyal'
            WHEN s.orders = 1 AND s.r >= 4 THEN 'new'
            WHEN s.m = 5 AND s.r >= 3 THEN 'big_spender'
            WHEN s.r >= 3 THEN 'promising'
            WHEN s.f >= 4 OR s.m >= 4 THEN 'at_risk'
            ELSE 'hibernating' END AS segment,
       coalesce(s.retained, false) AS retained, s.churn_risk, s.favourite_category_id, g.name AS favourite_category,
       s.return_rate
  FROM silver.customers AS c
  LEFT JOIN scored AS s ON c.customer_id = s.customer_id
  LEFT JOIN silver.categories AS g ON s.favourite_category_id = g.category_id
