SELECT payment_id, order_id, amount, status FROM shop.payments ORDER BY payment_id
