SELECT i.order_item_id, i.order_id, CAST(o.placed_at AS DATE) AS order_date,
       CAST(10000 * year(o.placed_at) + 100 * month(o.placed_at) + day(o.placed_at) AS INT) AS date_key,
       o.placed_at, o.customer_id, i.product_id, i.shipment_id, o.country, o.status,
       o.status = 'cancelled' AS is_cancelled, i.quantity, i.unit_price, i.discount,
       CAST(i.quantity * i.unit_price AS DECIMAL(18, 2)) AS gmv, CAST(i.quantity * i.unit_cost AS DECIMAL(18, 2)) AS cost
  FROM silver.order_items AS i JOIN silver.orders AS o ON i.order_id = o.order_id
