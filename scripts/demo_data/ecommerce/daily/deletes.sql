-- Rows that go without a trace: a line of an order, an order with all that hangs on it, a line of a return. None is of
-- the newest, so that no number is given twice.
DELETE FROM order_items WHERE order_item_id IN (
    SELECT order_item_id
    FROM pg_temp.lottery('lines', %(month_id)s, %(today_id)s - 1, %(deleted_items)s * 10 + 30)
    JOIN orders ON order_id = id AND updated_at < %(day)s
    CROSS JOIN LATERAL (SELECT * FROM order_items AS item WHERE item.order_id = id ORDER BY line_no DESC LIMIT 1) AS item
    WHERE line_no > 1 AND EXISTS (SELECT FROM order_items AS other WHERE other.order_id = id AND other.line_no < item.line_no)
      AND NOT EXISTS (SELECT FROM refunds WHERE refunds.order_item_id = item.order_item_id
                      AND refunds.created_at >= %(day)s - interval '3 days')
      AND NOT EXISTS (SELECT FROM return_items AS back WHERE back.order_item_id = item.order_item_id
                      AND back.created_at >= %(day)s - interval '3 days')
    ORDER BY ticket LIMIT %(deleted_items)s);

DELETE FROM orders WHERE order_id IN (
    SELECT order_id FROM pg_temp.lottery('orders', %(recent_id)s, %(today_id)s - 1, %(deleted_orders)s * 10 + 30)
    JOIN orders ON order_id = id AND updated_at < %(day)s
    WHERE NOT EXISTS (SELECT FROM returns WHERE returns.order_id = id)
      AND NOT EXISTS (SELECT FROM refunds JOIN payments USING (payment_id) WHERE payments.order_id = id)
    ORDER BY ticket LIMIT %(deleted_orders)s);

DELETE FROM return_items WHERE return_item_id IN (
    SELECT return_item_id FROM pg_temp.lottery('returns', 1, (SELECT max(return_item_id) - 1 FROM return_items),
                                               %(deleted_return_items)s * 5 + 20)
    JOIN return_items ON return_item_id = id AND created_at < %(day)s - interval '3 days'
    ORDER BY ticket LIMIT %(deleted_return_items)s);
