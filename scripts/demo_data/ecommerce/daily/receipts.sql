-- Stock comes in where there is least of it.
INSERT INTO inventory_movements
SELECT (SELECT max(movement_id) FROM inventory_movements) + row_number() OVER (ORDER BY level, product_id, warehouse_id),
       product_id, warehouse_id, 'receipt',
       greatest(0, -level) + pg_temp.between(10, 60, pg_temp.draw('received', product_id * 10 + warehouse_id)), unit_cost,
       %(now)s - pg_temp.draw('received at', product_id * 10 + warehouse_id) * interval '3 hours', %(now)s
FROM (SELECT product_id, warehouse_id, quantity AS level FROM stock_levels
      ORDER BY quantity, product_id, warehouse_id LIMIT %(receipts)s) AS least
JOIN products USING (product_id);
