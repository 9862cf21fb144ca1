-- Paid orders are sent, the oldest first; some in two parcels. So is what was left of orders sent in part.
CREATE TEMP TABLE sent_items ON COMMIT DROP AS
SELECT order_item_id, order_id, product_id, quantity, unit_cost,
       CASE WHEN status = 'paid' AND mod(line_no, 2) = 0 AND pg_temp.draw('two parcels', order_id) < 0.2 THEN 2 ELSE 1 END AS part
FROM (SELECT order_id, status FROM orders
      WHERE order_id >= %(recent_id)s AND status IN ('paid', 'shipped') AND updated_at < %(now)s - interval '7 hours'
        AND EXISTS (SELECT FROM order_items WHERE order_items.order_id = orders.order_id AND shipment_id IS NULL)
      ORDER BY order_id LIMIT %(parcels)s) AS ready
JOIN order_items USING (order_id) WHERE shipment_id IS NULL;

CREATE TEMP TABLE parcels ON COMMIT DROP AS
SELECT *, pg_temp.between(1, 5, pg_temp.draw('carrier', shipment_id)) AS carrier_id,
       pg_temp.between(1, 4, pg_temp.draw('depot', shipment_id)) AS warehouse_id,
       %(now)s - pg_temp.draw('sent', shipment_id) * interval '6 hours' AS sent_at
FROM (SELECT order_id, part, (SELECT max(shipment_id) FROM shipments) + row_number() OVER (ORDER BY order_id, part) AS shipment_id
      FROM sent_items GROUP BY order_id, part) AS numbered;

INSERT INTO shipments
SELECT shipment_id, order_id, carrier_id, warehouse_id,
       round((3.2 + 0.9 * (6 - promised_days) + 4 * pg_temp.draw('freight', shipment_id))::numeric, 2), sent_at,
       sent_at + promised_days * interval '1 day', NULL, sent_at, sent_at
FROM parcels JOIN carriers USING (carrier_id) ORDER BY shipment_id;

UPDATE order_items SET shipment_id = parcels.shipment_id
FROM sent_items JOIN parcels USING (order_id, part) WHERE order_items.order_item_id = sent_items.order_item_id;
UPDATE orders SET status = 'shipped' WHERE order_id IN (SELECT order_id FROM parcels);

INSERT INTO inventory_movements
SELECT (SELECT max(movement_id) FROM inventory_movements) + row_number() OVER (ORDER BY order_item_id),
       product_id, warehouse_id, 'sale', -quantity, unit_cost, sent_at, %(now)s
FROM sent_items JOIN parcels USING (order_id, part) ORDER BY order_item_id;
