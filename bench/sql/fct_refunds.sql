SELECT r.refund_id, r.order_item_id, i.order_id,
       CAST(CASE WHEN r.status = 'paid_out' THEN coalesce(r.paid_out_at, r.requested_at) ELSE r.requested_at END AS DATE)
           AS refund_date,
       i.customer_id, i.product_id, i.country, r.status, r.amount,
       r.status = 'paid_out' AND r.paid_out_at IS NOT NULL AND NOT i.is_cancelled AS counts
  FROM silver.refunds AS r JOIN gold.fct_order_items AS i ON r.order_item_id = i.order_item_id
