-- description: What the shop sold each day, over all categories and countries; an order counts once.
-- grain: [date]
-- rebuild_by: [date]
-- narrows:
--   silver.orders: to_date(placed_at)
--   gold.fct_order_items: order_date
--   gold.fct_refunds: refund_date
-- uses:
--   silver.orders: [placed_at, status]
--   gold.fct_order_items: [order_date, is_cancelled, quantity, gmv, discount]
--   gold.fct_refunds: [refund_date, counts, amount]
-- columns:
--   date: Day on which orders were placed, or refunds paid out (UTC).
--   orders: Orders placed that day that are not cancelled.
--   cancelled_orders: Orders placed that day that are cancelled.
--   units: Units of the orders that count.
--   gmv: Σ quantity × unit price of the orders that count, before discounts, shipping, tax and returns.
--   discounts: Σ discount of their lines.
--   refunds: Σ refunds paid out that day, for orders that count.
--   net_revenue: gmv - discounts - refunds.
--   aov: (gmv - discounts) / orders; NULL without orders.
WITH placed AS (
    SELECT to_date(placed_at) AS date, count_if(status <> 'cancelled') AS orders, count_if(status = 'cancelled') AS cancelled_orders
      FROM silver.orders GROUP BY 1
), sold AS (
    SELECT order_date AS date, sum(quantity) AS units, sum(gmv) AS gmv, sum(discount) AS discounts
      FROM gold.fct_order_items WHERE NOT is_cancelled GROUP BY 1
), refunded AS (
    SELECT refund_date AS date, sum(amount) AS refunds FROM gold.fct_refunds WHERE counts GROUP BY 1
), days AS (
    SELECT date, coalesce(orders, 0) AS orders, coalesce(cancelled_orders, 0) AS cancelled_orders,
           coalesce(units, 0) AS units, coalesce(gmv, 0) AS gmv, coalesce(discounts, 0) AS discounts,
           coalesce(refunds, 0) AS refunds
      FROM placed FULL JOIN sold USING (date) FULL JOIN refunded USING (date)
)
SELECT date, orders, cancelled_orders, units, CAST(gmv AS DECIMAL(18, 2)) AS gmv, CAST(discounts AS DECIMAL(18, 2)) AS discounts,
       CAST(refunds AS DECIMAL(18, 2)) AS refunds, CAST(gmv - discounts - refunds AS DECIMAL(18, 2)) AS net_revenue,
       CAST((gmv - discounts) / nullif(orders, 0) AS DECIMAL(18, 2)) AS aov
  FROM days
