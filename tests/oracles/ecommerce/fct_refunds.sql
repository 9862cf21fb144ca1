SELECT refund_id, order_item_id, amount, status FROM shop.refunds ORDER BY refund_id
