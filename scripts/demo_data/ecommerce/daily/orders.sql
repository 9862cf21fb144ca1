-- New orders since `since`; the first `late` of them were placed days ago and are entered only now.

-- Who orders: of customers that are drawn by their numbers, those who have not left and are due; first who has waited
-- longest, measured by the days until their next order. Where there are fewer than orders, they order again.
CREATE TEMP TABLE waiting ON COMMIT DROP AS
SELECT customer_id, created_at, row_number() OVER (ORDER BY gone, waited DESC, customer_id) AS place,
       greatest(1, count(*) FILTER (WHERE NOT gone) OVER ()) AS staying
FROM (
    SELECT customer_id, created_at, pg_temp.trait('leaves', visit) < pg_temp.leaving(fickleness, made, bad) AS gone,
           extract(epoch FROM %(now)s - since)::double precision / 86400 / pg_temp.pause(rhythm, made, coming) AS waited
    FROM (
        SELECT customers.customer_id, customers.created_at, rhythm, made, visit,
               coalesce(last.placed_at, customers.created_at) AS since,
               pg_temp.fickleness(customers.customer_id, rhythm) AS fickleness, pg_temp.trait('pause', visit) AS coming,
               last.status = 'cancelled' OR EXISTS (SELECT FROM returns WHERE returns.order_id = last.order_id) AS bad
        FROM pg_temp.lottery('who ' || %(since)s, 1, (SELECT max(customer_id) FROM customers), %(orders)s * 60 + 100)
        JOIN customers ON customers.customer_id = id AND customers.created_at < %(since)s
        LEFT JOIN LATERAL (SELECT order_id, placed_at, status, count(*) OVER () AS number FROM orders
                           WHERE orders.customer_id = id ORDER BY placed_at DESC, order_id DESC LIMIT 1) AS last ON true
        CROSS JOIN LATERAL (SELECT pg_temp.rhythm(id) AS rhythm, coalesce(last.number, 0) AS made,
                                   pg_temp.visit(id, coalesce(last.number, 0)) AS visit OFFSET 0) AS habits
        OFFSET 0
    ) AS drawn
) AS candidates;

CREATE TEMP TABLE fresh ON COMMIT DROP AS
SELECT order_id, waiting.customer_id, address_id, country, written_at,
       greatest(waiting.created_at,
                written_at - CASE WHEN late THEN (1 + 4 * pg_temp.draw('days late', order_id)) * interval '1 day'
                                  ELSE interval '0' END) AS placed_at,
       late OR pg_temp.draw('prompt', order_id) < 0.8 AS is_paid, promotion_id, percent,
       pg_temp.lines(pg_temp.draw('lines', order_id)) AS items
FROM (SELECT number, (SELECT max(order_id) FROM orders) + number AS order_id, number <= %(late)s AS late, %(since)s
             + (number - pg_temp.draw('placed', number)) / %(orders)s * (%(now)s - %(since)s - interval '5 minutes') AS written_at
      FROM generate_series(1, %(orders)s) AS number OFFSET 0) AS numbers
JOIN waiting ON waiting.place = 1 + mod(number - 1, staying)
CROSS JOIN LATERAL (SELECT address_id, country FROM addresses WHERE addresses.customer_id = waiting.customer_id
                    ORDER BY pg_temp.draw('to', address_id + order_id), address_id LIMIT 1) AS destination
LEFT JOIN LATERAL (SELECT promotion_id, percent FROM promotions
                   WHERE pg_temp.draw('promoted', order_id) < 0.3 AND NOT late AND written_at BETWEEN starts_at AND ends_at
                   ORDER BY promotion_id LIMIT 1) AS promotion ON true;

CREATE TEMP TABLE baskets ON COMMIT DROP AS
SELECT order_id, customer_id, items, written_at, percent,
       (SELECT max(order_item_id) FROM order_items) + (sum(items) OVER (ORDER BY order_id) - items)::bigint AS items_before
FROM fresh;

CREATE TEMP TABLE fresh_items ON COMMIT DROP AS
SELECT order_item_id, order_id, line, product_id, quantity, unit_price, unit_cost,
       coalesce(round(quantity * unit_price * percent / 100, 2), 0) AS discount, written_at
FROM (
    SELECT order_id, line, slot, baskets.items_before + line AS order_item_id, percent, written_at,
           pg_temp.pieces(pg_temp.draw('pieces', baskets.items_before + line)) AS quantity
    FROM (SELECT array_agg(order_id) AS orders, array_agg(customer_id) AS customers, array_agg(items) AS items,
                 array_agg(items_before) AS items_before FROM baskets) AS lists
    CROSS JOIN pg_temp.wishes(orders, customers, lists.items, lists.items_before) AS wishes
    JOIN baskets USING (order_id)
    OFFSET 0
) AS lines
JOIN pg_temp.shelf() AS shelf USING (slot)
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
