SELECT l.return_item_id, l.return_id, l.order_item_id, i.order_id, CAST(r.returned_at AS DATE) AS return_date, i.customer_id,
       i.shipment_id, r.status, r.reason, l.quantity, i.is_cancelled
  FROM silver.return_items AS l
  JOIN silver.returns AS r ON l.return_id = r.return_id
  JOIN gold.fct_order_items AS i ON l.order_item_id = i.order_item_id
