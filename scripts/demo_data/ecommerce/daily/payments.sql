-- Orders that waited for their money have it, or are given up; the oldest first.
CREATE TEMP TABLE settled ON COMMIT DROP AS
SELECT order_id FROM orders WHERE order_id >= %(recent_id)s AND status = 'placed' AND updated_at < %(now)s - interval '2 hours'
ORDER BY order_id LIMIT %(payments)s;
UPDATE payments SET status = 'paid', paid_at = %(now)s - pg_temp.draw('paid', payment_id) * interval '2 hours'
WHERE order_id IN (SELECT order_id FROM settled) AND status = 'pending';
UPDATE orders SET status = 'paid' WHERE order_id IN (SELECT order_id FROM settled);

CREATE TEMP TABLE cancelled ON COMMIT DROP AS
SELECT order_id FROM orders
WHERE order_id >= %(recent_id)s AND status IN ('placed', 'paid') AND order_id NOT IN (SELECT order_id FROM settled)
  AND NOT EXISTS (SELECT FROM shipments WHERE shipments.order_id = orders.order_id)
ORDER BY pg_temp.draw('cancelled', order_id), order_id LIMIT %(cancelled)s;
UPDATE payments SET status = 'voided', paid_at = NULL
WHERE order_id IN (SELECT order_id FROM cancelled) AND status IN ('pending', 'paid');
UPDATE orders SET status = 'cancelled' WHERE order_id IN (SELECT order_id FROM cancelled);
