-- Parcels arrive, those first that were promised first; some are passed over for days.
CREATE TEMP TABLE arrived ON COMMIT DROP AS
SELECT shipment_id, order_id FROM orders JOIN shipments USING (order_id)
WHERE order_id >= %(recent_id)s AND status = 'shipped' AND delivered_at IS NULL AND shipped_at < %(day)s
  AND shipped_at + 0.5 * (promised_at - shipped_at) < %(now)s
ORDER BY promised_at + CASE WHEN mod(hashint8(shipment_id), 8) = 0 THEN interval '5 days' ELSE interval '0' END, shipment_id
LIMIT %(deliveries)s;

UPDATE shipments SET delivered_at = %(now)s - pg_temp.draw('delivered', shipment_id) * interval '8 hours'
WHERE shipment_id IN (SELECT shipment_id FROM arrived);
UPDATE orders SET status = 'delivered'
WHERE order_id IN (SELECT order_id FROM arrived)
  AND NOT EXISTS (SELECT FROM shipments WHERE shipments.order_id = orders.order_id AND delivered_at IS NULL)
  AND NOT EXISTS (SELECT FROM order_items WHERE order_items.order_id = orders.order_id AND shipment_id IS NULL);
