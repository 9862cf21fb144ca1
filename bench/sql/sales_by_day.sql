WITH placed AS (
    SELECT CAST(placed_at AS DATE) AS date, count_if(status <> 'cancelled') AS orders,
           count_if(status = 'cancelled') AS cancelled_orders
      FROM silver.orders GROUP BY CAST(placed_at AS DATE)
), sold AS (
    SELECT order_date AS date, sum(quantity) AS units, sum(gmv) AS gmv, sum(discount) AS discounts
      FROM gold.fct_order_items WHERE NOT is_cancelled GROUP BY order_date
), refunded AS (
    SELECT refund_date AS date, sum(amount) AS refunds FROM gold.fct_refunds WHERE counts GROUP BY refund_date
), days AS (
    SELECT date, coalesce(orders, 0) AS orders, coalesce(cancelled_orders, 0) AS cancelled_orders,
           coalesce(units, 0) AS units, coalesce(gmv, 0) AS gmv, coalesce(discounts, 0) AS discounts,
           coalesce(refunds, 0) AS refunds
      FROM placed FULL JOIN sold USING (date) FULL JOIN refunded USING (date)
)
SELECT date, orders, cancelled_orders, units, gmv, discounts, refunds, gmv - discounts - refunds AS net_revenue,
       CAST((gmv - discounts) / nullif(orders, 0) AS DECIMAL(18, 2)) AS aov
  FROM days
