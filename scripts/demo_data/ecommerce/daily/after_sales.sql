-- Refunds are decided, returns are received: the oldest first. Then others are asked for and announced.
UPDATE refunds SET status = 'refused'
WHERE refund_id IN (SELECT refund_id FROM refunds WHERE updated_at >= %(day)s - interval '40 days' AND updated_at < %(day)s
                    AND status = 'requested' ORDER BY updated_at, refund_id LIMIT %(refused)s);
UPDATE refunds SET status = 'paid_out', paid_out_at = %(now)s - pg_temp.draw('paid out', refund_id) * interval '3 hours'
WHERE refund_id IN (SELECT refund_id FROM refunds WHERE updated_at >= %(day)s - interval '40 days' AND updated_at < %(day)s
                    AND status = 'requested' ORDER BY updated_at, refund_id LIMIT %(paid_out)s);

INSERT INTO refunds
SELECT (SELECT max(refund_id) FROM refunds) + row_number() OVER (ORDER BY asked_at, order_item_id), payment_id, order_item_id,
       'requested', least(paid, amount), asked_at, NULL, asked_at, asked_at
FROM (
    SELECT payment.*, order_item_id, %(now)s - pg_temp.draw('asked', order_item_id) * interval '6 hours' AS asked_at,
           CASE WHEN pg_temp.draw('in full', order_item_id) < 0.65 THEN price
                ELSE round(price * (0.1 + 0.7 * pg_temp.draw('share', order_item_id))::numeric, 2) END AS amount
    FROM pg_temp.lottery('refund', %(month_id)s, %(today_id)s, %(refunds)s * 10 + 30)
    JOIN orders ON order_id = id AND orders.status = 'delivered' AND orders.updated_at < %(day)s
    CROSS JOIN LATERAL (SELECT order_item_id, quantity * unit_price - discount AS price FROM order_items AS item
                        WHERE item.order_id = id ORDER BY line_no DESC LIMIT 1) AS item
    CROSS JOIN LATERAL (SELECT payment_id, payments.amount AS paid FROM payments
                        WHERE payments.order_id = id AND payments.status = 'paid' ORDER BY payment_id DESC LIMIT 1) AS payment
    WHERE NOT EXISTS (SELECT FROM refunds WHERE refunds.order_item_id = item.order_item_id)
    ORDER BY ticket LIMIT %(refunds)s
) AS asked;

CREATE TEMP TABLE received ON COMMIT DROP AS
SELECT return_id FROM returns WHERE updated_at >= %(day)s - interval '40 days' AND updated_at < %(day)s AND status = 'announced'
ORDER BY updated_at, return_id LIMIT %(received)s;
UPDATE returns SET status = 'received' WHERE return_id IN (SELECT return_id FROM received);
INSERT INTO inventory_movements
SELECT (SELECT max(movement_id) FROM inventory_movements) + row_number() OVER (ORDER BY return_item_id),
       product_id, warehouse_id, 'return', back.quantity, unit_cost,
       %(now)s - pg_temp.draw('came back', return_item_id) * interval '4 hours', %(now)s
FROM received JOIN return_items AS back USING (return_id) JOIN order_items USING (order_item_id) JOIN shipments USING (shipment_id)
ORDER BY return_item_id;

CREATE TEMP TABLE announced ON COMMIT DROP AS
SELECT (SELECT max(return_id) FROM returns) + row_number() OVER (ORDER BY ticket) AS return_id, order_id,
       %(now)s - pg_temp.draw('announced', order_id) * interval '6 hours' AS asked_at
FROM pg_temp.lottery('return', %(month_id)s, %(today_id)s, %(returns)s * 10 + 30)
JOIN orders ON order_id = id AND orders.status = 'delivered' AND orders.updated_at < %(day)s
WHERE NOT EXISTS (SELECT FROM returns WHERE returns.order_id = id)
  AND EXISTS (SELECT FROM order_items WHERE order_items.order_id = id)
ORDER BY ticket LIMIT %(returns)s;
INSERT INTO returns
SELECT return_id, order_id, 'announced', pg_temp.reason(pg_temp.draw('reason', order_id)), asked_at, asked_at, asked_at
FROM announced ORDER BY return_id;
INSERT INTO return_items
SELECT (SELECT max(return_item_id) FROM return_items) + row_number() OVER (ORDER BY return_id, order_item_id), return_id,
       order_item_id, pg_temp.between(1, quantity, pg_temp.draw('pieces back', order_item_id)), asked_at
FROM announced CROSS JOIN LATERAL (
    SELECT order_item_id, quantity FROM order_items AS item WHERE item.order_id = announced.order_id
    ORDER BY line_no LIMIT 1 + (pg_temp.draw('both back', announced.order_id) < 0.33)::int) AS item
ORDER BY return_id, order_item_id;
