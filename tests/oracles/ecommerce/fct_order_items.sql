SELECT
    i.order_item_id,
    i.order_id,
    i.quantity,
    i.unit_price,
    i.discount,
    i.quantity * i.unit_price AS gmv,
    o.status = 'cancelled' AS is_cancelled
FROM shop.order_items i
JOIN shop.orders o USING (order_id)
ORDER BY i.order_item_id
