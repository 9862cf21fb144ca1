SELECT return_item_id, order_item_id, quantity FROM shop.return_items ORDER BY return_item_id
