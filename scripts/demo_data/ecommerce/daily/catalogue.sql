-- Prices, now and then costs; products that move to another category; a category with another name.
UPDATE products
SET unit_price = greatest(0.95, round(unit_price * (0.88 + 0.26 * pg_temp.draw('price', product_id))::numeric, 2)),
    unit_cost = CASE WHEN pg_temp.draw('cost changed', product_id) < 0.4
                     THEN greatest(0.20, round(unit_cost * (0.93 + 0.14 * pg_temp.draw('cost', product_id))::numeric, 2))
                     ELSE unit_cost END
WHERE product_id IN (SELECT id FROM pg_temp.lottery('prices', 1, (SELECT max(product_id) FROM products), %(prices)s));

UPDATE products SET category_id = 7 + mod(category_id - 6, 34)
WHERE product_id IN (SELECT id FROM pg_temp.lottery('moved', 1, (SELECT max(product_id) FROM products), %(moved_products)s));

UPDATE categories SET name = CASE WHEN name LIKE 'All %%' THEN substr(name, 5) ELSE 'All ' || name END
WHERE category_id IN (SELECT id FROM pg_temp.lottery('renamed', 7, 40, %(renamed_categories)s));
