-- The rows of the orders: items, totals, payments, parcels. `updated_at` is the moment of the last change of each row.
CREATE TEMP TABLE wanted ON COMMIT DROP AS
SELECT wishes.*
FROM (SELECT array_agg(order_id) AS orders, array_agg(customer_id) AS customers, array_agg(items) AS items,
             array_agg(items_before::bigint) AS items_before FROM fates) AS lists
CROSS JOIN pg_temp.wishes(orders, customers, items, items_before) AS wishes;
ANALYZE wanted;

INSERT INTO order_items
SELECT items_before + line, order_id, line, bought.product_id, shipment_id, quantity, cost.price, bought.unit_cost,
       coalesce(round(quantity * cost.price * percent / 100, 2), 0), placed_at, coalesce(sent_at, placed_at)
FROM (
    SELECT order_id, items_before, placed_at, percent, line, slot,
           pg_temp.pieces(pg_temp.draw('pieces', items_before + line)) AS quantity,
           CASE WHEN two AND mod(line, 2) = 0 THEN second_shipped_at ELSE shipped_at END AS sent_at,
           CASE WHEN two AND mod(line, 2) = 0
                THEN CASE WHEN second_shipped_at IS NOT NULL THEN parcels_before + 2 END
                ELSE CASE WHEN shipped_at IS NOT NULL THEN parcels_before + 1 END END AS shipment_id
    FROM fates JOIN wanted USING (order_id)
    OFFSET 0
) AS lines
JOIN shelf AS asked USING (slot)
JOIN shelf AS bought -- before it was launched, one that sells better
    ON bought.rank = CASE WHEN asked.created_at <= lines.placed_at THEN asked.rank ELSE 1 + asked.rank / 2 END
CROSS JOIN LATERAL (
    SELECT CASE WHEN placed_at < bought.changed_at THEN bought.old_price ELSE bought.unit_price END AS price
) AS cost
ORDER BY order_id, line;
ANALYZE order_items;

INSERT INTO orders
SELECT order_id, customer_id, address_id, promotion_id, status, country, CASE WHEN net >= 80 THEN 0 ELSE 4.90 END,
       round(net * pg_temp.tax_rate(country), 2), placed_at, placed_at,
       CASE status WHEN 'cancelled' THEN cancelled_at WHEN 'delivered' THEN greatest(delivered_at, second_delivered_at)
                   WHEN 'shipped' THEN greatest(shipped_at, second_shipped_at) WHEN 'paid' THEN paid_at ELSE placed_at END
FROM fates
JOIN (SELECT order_id, sum(quantity * unit_price - discount) AS net FROM order_items GROUP BY order_id) AS sums USING (order_id)
ORDER BY order_id;
ANALYZE orders;

-- One in twenty is paid at the second attempt, one in twenty-five in two parts; of what is not paid there is one payment.
INSERT INTO payments
SELECT row_number() OVER (ORDER BY order_id, part), order_id, pg_temp.method(pg_temp.draw('method', order_id * 2 + part)),
       state, CASE WHEN NOT split THEN amount WHEN part = 1 THEN round(amount * 0.3, 2)
                   ELSE amount - round(amount * 0.3, 2) END,
       CASE WHEN state = 'paid' THEN paid_at END, placed_at,
       CASE state WHEN 'paid' THEN paid_at WHEN 'voided' THEN cancelled_at
                  WHEN 'failed' THEN placed_at + (paid_at - placed_at) / 2 ELSE placed_at END
FROM (
    SELECT order_id, amount, fates.placed_at, paid_at, cancelled_at, settled AND trouble >= 0.05 AND trouble < 0.09 AS split, part,
           CASE WHEN orders.status = 'cancelled' THEN 'voided' WHEN NOT settled THEN 'pending'
                WHEN trouble < 0.05 AND part = 1 THEN 'failed' ELSE 'paid' END AS state
    FROM orders JOIN fates USING (order_id)
    JOIN (SELECT order_id, sum(quantity * unit_price - discount) AS net FROM order_items GROUP BY order_id) AS sums USING (order_id)
    CROSS JOIN LATERAL (SELECT net + shipping_fee + tax AS amount, orders.status NOT IN ('placed', 'cancelled') AS settled,
                               pg_temp.draw('payment', order_id) AS trouble OFFSET 0) AS due
    CROSS JOIN LATERAL generate_series(1, CASE WHEN settled AND trouble < 0.09 THEN 2 ELSE 1 END) AS part
) AS parts
ORDER BY order_id, part;

INSERT INTO shipments
SELECT parcels_before + part, order_id, CASE part WHEN 1 THEN carrier_id ELSE 1 + mod(carrier_id, 5) END,
       CASE part WHEN 1 THEN warehouse_id ELSE 1 + mod(warehouse_id, 4) END,
       round((3.2 + 0.9 * (6 - days) + 4 * pg_temp.draw('freight', order_id * 2 + part))::numeric, 2), sent_at,
       sent_at + days * interval '1 day', arrived_at, sent_at, coalesce(arrived_at, sent_at)
FROM (SELECT *, 1 AS part, shipped_at AS sent_at, delivered_at AS arrived_at FROM fates WHERE shipped_at IS NOT NULL
      UNION ALL
      SELECT *, 2, second_shipped_at, second_delivered_at FROM fates WHERE second_shipped_at IS NOT NULL) AS parcels
ORDER BY order_id, part;
ANALYZE payments, shipments;
