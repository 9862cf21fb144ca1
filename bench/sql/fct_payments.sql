SELECT p.payment_id, p.order_id, CAST(coalesce(p.paid_at, p.created_at) AS DATE) AS payment_date, o.customer_id, p.method,
       p.status, p.amount
  FROM silver.payments AS p JOIN silver.orders AS o ON p.order_id = o.order_id
