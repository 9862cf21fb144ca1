-- What the transaction's movements do to the levels. No other transaction writes at the same moment.
INSERT INTO stock_levels
SELECT product_id, warehouse_id, sum(quantity), %(now)s, %(now)s FROM inventory_movements WHERE created_at = %(now)s
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (product_id, warehouse_id) DO UPDATE SET quantity = stock_levels.quantity + excluded.quantity;
