-- New orders since `since`; the first `late` of them were placed days ago and are entered only now.
-- Who orders is drawn from recent orders, and what is bought from recent items: the popular stay popular.
CREATE TEMP TABLE fresh ON COMMIT DROP AS
SELECT order_id, buyer.customer_id, address_id, country, written_at,
       written_at - CASE WHEN late THEN (1 + 4 * pg_temp.draw('days late', order_id)) * interval '1 day'
                         ELSE interval '0' END AS placed_at,
       late OR pg_temp.draw('prompt', order_id) < 0.8 AS is_paid, promotion_id, percent,
       pg_temp.lines(pg_temp.draw('lines', order_id)) AS items
FROM (SELECT (SELECT max(order_id) FROM orders) + number AS order_id, number <= %(late)s AS late, %(since)s
             + (number - pg_temp.draw('placed', number)) / %(orders)s * (%(now)s - %(since)s - interval '5 minutes') AS written_at
      FROM generate_series(1, %(orders)s) AS number OFFSET 0) AS numbers
CROSS JOIN LATERAL (
    SELECT coalesce(CASE WHEN pg_temp.draw('buys again', order_id) < 0.7 THEN
        (SELECT customer_id FROM orders AS before WHERE customer_id IS NOT NULL AND before.order_id >= %(month_id)s
             + floor(pg_temp.draw('who again', numbers.order_id) * (numbers.order_id - %(month_id)s))::bigint
         ORDER BY before.order_id LIMIT 1) END,
        (SELECT customer_id FROM customers WHERE customer_id >=
             1 + floor(pg_temp.draw('who', order_id) * (SELECT max(customer_id) FROM customers))::bigint
         ORDER BY customer_id LIMIT 1)) AS customer_id OFFSET 0) AS buyer
CROSS JOIN LATERAL (SELECT address_id, country FROM addresses WHERE addresses.customer_id = buyer.customer_id
                    ORDER BY pg_temp.draw('to', address_id + order_id), address_id LIMIT 1) AS destination
LEFT JOIN LATERAL (SELECT promotion_id, percent FROM promotions
                   WHERE pg_temp.draw('promoted', order_id) < 0.3 AND NOT late AND written_at BETWEEN starts_at AND ends_at
                   ORDER BY promotion_id LIMIT 1) AS promotion ON true;

CREATE TEMP TABLE fresh_items ON COMMIT DROP AS
SELECT (SELECT max(order_item_id) FROM order_items) + number AS order_item_id, order_id, line, product_id, quantity,
       unit_price, unit_cost, coalesce(round(quantity * unit_price * percent / 100, 2), 0) AS discount, written_at
FROM (SELECT *, row_number() OVER (ORDER BY order_id, line) AS number, pg_temp.pieces(pg_temp.draw('pieces', order_id * 10 + line))
                 AS quantity
      FROM fresh CROSS JOIN LATERAL generate_series(1, items) AS line OFFSET 0) AS lines
CROSS JOIN LATERAL (
    SELECT CASE WHEN pg_temp.draw('anything', number + order_id) < 0.1
                THEN (SELECT product_id FROM products WHERE product_id >= 1
                          + floor(pg_temp.draw('product', number + order_id) * (SELECT max(product_id) FROM products))::int
                      ORDER BY product_id LIMIT 1)
                ELSE (SELECT product_id FROM order_items WHERE order_item_id >= greatest(1, item_ids.last - 20000)
                          + floor(pg_temp.draw('product', number + order_id) * least(20000, item_ids.last))::bigint
                      ORDER BY order_item_id LIMIT 1) END AS product_id
    FROM (SELECT max(order_item_id) - 1 AS last FROM order_items) AS item_ids OFFSET 0) AS choice
JOIN products USING (product_id);

INSERT INTO orders
SELECT order_id, customer_id, address_id, promotion_id, CASE WHEN is_paid THEN 'paid' ELSE 'placed' END, country,
       CASE WHEN net >= 80 THEN 0 ELSE 4.90 END, round(net * pg_temp.tax_rate(country), 2), placed_at, written_at, written_at
FROM fresh JOIN (SELECT order_id, sum(quantity * unit_price - discount) AS net FROM fresh_items GROUP BY 1) AS sums USING (order_id)
ORDER BY order_id;

INSERT INTO order_items
SELECT order_item_id, order_id, line, product_id, NULL, quantity, unit_price, unit_cost, discount, written_at, written_at
FROM fresh_items ORDER BY order_item_id;

-- One in twenty is paid at the second attempt.
INSERT INTO payments
SELECT (SELECT max(payment_id) FROM payments) + row_number() OVER (ORDER BY order_id, attempt), order_id,
       pg_temp.method(pg_temp.draw('method', order_id)),
       CASE WHEN attempt = 0 THEN 'failed' WHEN is_paid THEN 'paid' ELSE 'pending' END, net + shipping_fee + tax,
       CASE WHEN attempt = 1 AND is_paid THEN fresh.placed_at + pg_temp.draw('paid', order_id) * interval '4 minutes' END,
       written_at, written_at + attempt * pg_temp.draw('paid', order_id) * interval '4 minutes'
FROM fresh JOIN (SELECT order_id, sum(quantity * unit_price - discount) AS net FROM fresh_items GROUP BY 1) AS sums USING (order_id)
JOIN orders USING (order_id)
CROSS JOIN LATERAL generate_series(CASE WHEN is_paid AND pg_temp.draw('payment', order_id) < 0.05 THEN 0 ELSE 1 END, 1) AS attempt
ORDER BY order_id, attempt;
