-- What is found out late: days that are past look different now.
INSERT INTO inventory_movements
SELECT (SELECT max(movement_id) FROM inventory_movements) + ticket, product_id, 1 + mod(ticket, 4), 'correction',
       CASE WHEN pg_temp.draw('missing', ticket) < 0.7 THEN -1 ELSE 1 END
           * pg_temp.between(1, 4, pg_temp.draw('difference', ticket)), unit_cost,
       %(now)s - (5 + 55 * pg_temp.draw('counted at', ticket)) * interval '1 day', %(now)s
FROM pg_temp.lottery('counted', 1, (SELECT max(product_id) FROM products), %(stock_corrections)s)
JOIN products ON product_id = id;

-- A line's price or quantity; its discount keeps its share. What was refunded or sent back stays as it was.
UPDATE order_items
SET quantity = wanted.quantity, unit_price = price,
    discount = round(discount * (wanted.quantity * price) / (order_items.quantity * order_items.unit_price), 2)
FROM (
    SELECT order_item_id, CASE WHEN dear THEN item.quantity ELSE 1 + mod(item.quantity, 3) END AS quantity,
           CASE WHEN dear THEN round(item.unit_price * (0.8 + 0.19 * pg_temp.draw('corrected price', order_item_id))::numeric, 2)
                ELSE item.unit_price END AS price
    FROM pg_temp.lottery('corrected', %(month_id)s, %(settled_id)s, %(item_corrections)s * 10 + 30)
    JOIN orders ON order_id = id AND placed_at BETWEEN %(day)s - interval '60 days' AND %(day)s - interval '3 days'
    CROSS JOIN LATERAL (SELECT * FROM order_items WHERE order_id = id ORDER BY line_no LIMIT 1) AS item
    CROSS JOIN LATERAL (SELECT pg_temp.draw('dear', order_item_id) < 0.5 AS dear) AS kind
    WHERE NOT EXISTS (SELECT FROM refunds WHERE refunds.order_item_id = item.order_item_id)
      AND NOT EXISTS (SELECT FROM return_items WHERE return_items.order_item_id = item.order_item_id)
    ORDER BY ticket LIMIT %(item_corrections)s
) AS wanted
WHERE order_items.order_item_id = wanted.order_item_id;

UPDATE shipments
SET delivered_at = greatest(shipped_at + interval '1 hour',
                            delivered_at + pg_temp.hours(40 * pg_temp.draw('really delivered', shipment_id) - 20))
WHERE shipment_id IN (
    SELECT shipment_id
    FROM pg_temp.lottery('delivery', %(month_id)s, %(settled_id)s, %(delivery_corrections)s * 10 + 30)
    CROSS JOIN LATERAL (SELECT * FROM shipments WHERE order_id = id ORDER BY shipment_id LIMIT 1) AS parcel
    WHERE delivered_at BETWEEN %(day)s - interval '60 days' AND %(day)s - interval '3 days'
    ORDER BY ticket LIMIT %(delivery_corrections)s);
