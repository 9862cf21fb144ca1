WITH items AS (
    SELECT i.order_date AS date, p.category_id, i.country, i.order_id, i.is_cancelled, i.quantity, i.gmv, i.discount
      FROM gold.fct_order_items AS i JOIN silver.products AS p ON i.product_id = p.product_id
), sold AS (
    SELECT date, category_id, country, count(DISTINCT CASE WHEN NOT is_cancelled THEN order_id END) AS orders,
           count(DISTINCT CASE WHEN is_cancelled THEN order_id END) AS cancelled_orders,
           sum(quantity) FILTER (WHERE NOT is_cancelled) AS units, sum(gmv) FILTER (WHERE NOT is_cancelled) AS gmv,
           sum(discount) FILTER (WHERE NOT is_cancelled) AS discounts
      FROM items GROUP BY date, category_id, country
), refunded AS (
    SELECT r.refund_date AS date, p.category_id, r.country, sum(r.amount) AS refunds
      FROM gold.fct_refunds AS r JOIN silver.products AS p ON r.product_id = p.product_id
     WHERE r.counts GROUP BY r.refund_date, p.category_id, r.country
), days AS (
    SELECT date, category_id, country, coalesce(orders, 0) AS orders, coalesce(cancelled_orders, 0) AS cancelled_orders,
           coalesce(units, 0) AS units, coalesce(gmv, 0) AS gmv, coalesce(discounts, 0) AS discounts,
           coalesce(refunds, 0) AS refunds
      FROM sold FULL JOIN refunded USING (date, category_id, country)
)
SELECT d.date, d.category_id, c.name AS category, d.country, d.orders, d.cancelled_orders, d.units, d.gmv, d.discounts,
       d.refunds, d.gmv - d.discounts - d.refunds AS net_revenue,
       CAST((d.gmv - d.discounts) / nullif(d.orders, 0) AS DECIMAL(18, 2)) AS aov
  FROM days AS d LEFT JOIN silver.categories AS c ON d.category_id = c.category_id
