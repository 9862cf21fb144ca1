-- Movements: a sale for each item that was sent, returns, receipts, corrections; stock levels are their sums.
CREATE TEMP TABLE moves ON COMMIT DROP AS
SELECT product_id, warehouse_id, 'sale' AS kind, -quantity AS quantity, unit_cost, shipped_at AS moved_at, shipped_at AS created_at,
       order_item_id AS reference
FROM order_items JOIN shipments USING (shipment_id)
UNION ALL
SELECT product_id, warehouse_id, 'return', back.quantity, unit_cost, returns.updated_at, returns.updated_at, return_item_id
FROM return_items AS back JOIN returns USING (return_id) JOIN order_items USING (order_item_id) JOIN shipments USING (shipment_id)
WHERE returns.status = 'received';

-- Each pair of product and warehouse is supplied in its own rhythm. A receipt brings what will be sold until the next one,
-- so that a drawn rest is left over then; where the rest is below zero, the shop sells for a while what it does not have.
INSERT INTO moves
WITH pairs AS (
    SELECT product_id, warehouse_id, unit_cost, product_id::bigint * 10 + warehouse_id AS pair,
           pg_temp.between(15, 45, pg_temp.draw('rhythm', product_id::bigint * 10 + warehouse_id)) AS rhythm
    FROM products CROSS JOIN warehouses
), sold AS (
    SELECT product_id, warehouse_id, (moved_at::date - date '2025-05-02') / rhythm AS period, -sum(quantity) AS pieces
    FROM moves JOIN pairs USING (product_id, warehouse_id) WHERE kind = 'sale' GROUP BY 1, 2, 3
), targets AS (
    SELECT pairs.*, period, sum(coalesce(pieces, 0)) OVER so_far
               + avg(coalesce(pieces, 0)) OVER (PARTITION BY pair) * (-0.25 + 1.1 * pg_temp.draw('rest', pair * 1000 + period))
               + pg_temp.between(0, 2, pg_temp.draw('spare', pair * 1000 + period)) AS target
    FROM pairs CROSS JOIN LATERAL generate_series(0, 547 / rhythm) AS period
    LEFT JOIN sold USING (product_id, warehouse_id, period)
    WINDOW so_far AS (PARTITION BY pair ORDER BY period)
), reached AS (
    SELECT *, greatest(0, max(ceil(target)) OVER (PARTITION BY pair ORDER BY period)) AS supplied FROM targets
)
SELECT product_id, warehouse_id, 'receipt', quantity::int, unit_cost, moved_at, moved_at, period
FROM (SELECT *, supplied - coalesce(lag(supplied) OVER (PARTITION BY pair ORDER BY period), 0) AS quantity,
             timestamptz '2025-05-02 00:00+00' + period * rhythm * interval '1 day'
                 + pg_temp.draw('received', pair * 1000 + period) * interval '5 hours' AS moved_at
      FROM reached) AS received
WHERE quantity > 0;

-- Now and then someone counts; half of the differences are entered days after the day they are dated.
INSERT INTO moves
SELECT product_id, warehouse_id, 'correction', CASE WHEN pg_temp.draw('missing', pair) < 0.7 THEN -1 ELSE 1 END
           * pg_temp.between(1, 3, pg_temp.draw('difference', pair)), unit_cost, moved_at,
       moved_at + CASE WHEN pg_temp.draw('entered late', pair) < 0.5
                       THEN pg_temp.draw('entered', pair) * interval '12 days' ELSE interval '0' END, pair
FROM (SELECT *, timestamptz '2025-06-01 08:00+00' + pg_temp.draw('counted at', pair) * interval '500 days' AS moved_at
      FROM (SELECT product_id, warehouse_id, unit_cost, product_id::bigint * 10 + warehouse_id AS pair
            FROM products CROSS JOIN warehouses OFFSET 0) AS pairs
      WHERE pg_temp.draw('counted', pair) < 0.15) AS counted;

INSERT INTO inventory_movements
SELECT row_number() OVER (ORDER BY created_at, moved_at, kind, product_id, warehouse_id, reference),
       product_id, warehouse_id, kind, quantity, unit_cost, moved_at, created_at
FROM moves ORDER BY created_at, moved_at, kind, product_id, warehouse_id, reference;

INSERT INTO stock_levels
SELECT product_id, warehouse_id, sum(quantity), min(moved_at), max(created_at) FROM inventory_movements
GROUP BY 1, 2 ORDER BY 1, 2;
