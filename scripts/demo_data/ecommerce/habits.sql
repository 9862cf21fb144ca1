-- What can be learnt from the shop: customers keep to tastes and rhythms, and some leave for good. No column tells of them;
-- they are drawn again from the shop's seed wherever they are needed, so that a day that is played goes on with them.

-- What somebody or something keeps for good; `draw` begins anew with each day that is played.
CREATE OR REPLACE FUNCTION pg_temp.trait(stream text, id bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(id, hashtextextended(stream, %(shop_seed)s::bigint)) & 4503599627370495)
          / 4503599627370496::double precision $$;

-- Where a product hangs at first. One that is moved keeps its buyers.
CREATE OR REPLACE FUNCTION pg_temp.first_category(product_id bigint) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT least(40, 7 + floor(34 * pg_temp.trait('category', product_id)))::int $$;

-- The products side by side, each as wide as it sells: by root category, category and style, so that a taste is a stretch
-- of the shelf, and a point of the shelf drawn evenly is a product drawn by its popularity. `rank` is the place by
-- popularity: only products of the beginning sell best.
CREATE OR REPLACE FUNCTION pg_temp.shelf()
RETURNS TABLE (slot bigint, rank bigint, product_id int, low double precision, style_low double precision,
               style_high double precision, root_low double precision, root_high double precision)
LANGUAGE sql STABLE AS $$
WITH ranked AS (
    SELECT product_id, pg_temp.first_category(product_id) AS category_id,
           floor(3 * pg_temp.trait('style', product_id)) AS style, count(*) OVER () AS products,
           row_number() OVER (ORDER BY created_at >= '2025-05-02 00:00+00',
                                       pg_temp.trait('popularity', product_id)) AS rank
    FROM products
), wide AS (
    SELECT ranked.*, coalesce(above.parent_id, above.category_id) AS root,
           (rank::double precision / products) ^ (1 / 1.9)
               - ((rank - 1)::double precision / products) ^ (1 / 1.9) AS width
    FROM ranked JOIN categories USING (category_id) JOIN categories AS above ON above.category_id = categories.parent_id
), standing AS (
    SELECT *, row_number() OVER so_far AS slot, sum(width) OVER so_far AS high, sum(width) OVER so_far - width AS low
    FROM wide WINDOW so_far AS (ORDER BY root, category_id, style, product_id ROWS UNBOUNDED PRECEDING)
)
SELECT slot, rank, product_id, low, min(low) OVER alike, max(high) OVER alike, min(low) OVER akin, max(high) OVER akin
FROM standing WINDOW alike AS (PARTITION BY root, category_id, style), akin AS (PARTITION BY root) $$;

-- Each customer's stretches of the shelf: three styles, the second of the same root category as the first; and all of it,
-- as number 0. Points that are drawn evenly make popular styles the taste of many, so that products sell as without tastes.
CREATE OR REPLACE FUNCTION pg_temp.tastes(customers bigint[])
RETURNS TABLE (customer_id bigint, taste int, low double precision, high double precision)
LANGUAGE sql STABLE ROWS 40000 AS $$
WITH shelf AS MATERIALIZED (SELECT * FROM pg_temp.shelf()),
     edges AS MATERIALIZED (SELECT array_agg(low ORDER BY slot) AS lows FROM shelf)
SELECT id, number, shelf.style_low, shelf.style_high
FROM (SELECT id, pg_temp.trait('first taste', id) AS point FROM unnest(customers) AS id OFFSET 0) AS people
JOIN shelf AS main ON main.slot = width_bucket(people.point, (SELECT lows FROM edges))
CROSS JOIN LATERAL (
    VALUES (1, people.point),
           (2, main.root_low + (main.root_high - main.root_low) * pg_temp.trait('second taste', id)),
           (3, pg_temp.trait('third taste', id))) AS points (number, point)
JOIN shelf ON shelf.slot = width_bucket(points.point, (SELECT lows FROM edges))
UNION ALL
SELECT id, 0, 0, 1 FROM unnest(customers) AS id $$;

-- Which of the tastes is an order's, and which a line's: one line in four is anything, most others are as the order.
CREATE OR REPLACE FUNCTION pg_temp.order_taste(chance double precision) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 + width_bucket(chance, '{0.55,0.85}'::double precision[]) $$;
CREATE OR REPLACE FUNCTION pg_temp.line_taste(chance double precision, of_order int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN chance < 0.26 THEN 0 WHEN chance < 0.76 THEN of_order
               ELSE pg_temp.order_taste((chance - 0.76) / 0.24) END $$;

-- What the lines of orders ask for, as slots of the shelf. The four lists are of equal length: orders, their customers, how
-- many items each has, and the number of the last item before them. Lines of an order are spread over its taste, and where
-- one asks for what another has asked for, it takes what stands next to it: few orders name a product twice.
CREATE OR REPLACE FUNCTION pg_temp.wishes(orders bigint[], customers bigint[], items int[], items_before bigint[])
RETURNS TABLE (order_id bigint, line int, slot bigint) LANGUAGE sql STABLE AS $$
SELECT of_order, line, 1 + mod(slot - 2 + row_number() OVER (PARTITION BY of_order, slot ORDER BY line), products)
FROM (
    SELECT of_order, line, products,
           width_bucket(CASE WHEN taste = 0 THEN pg_temp.draw('anything', item)
                             ELSE low + (high - low) * (along - floor(along)) END, lows) AS slot
    FROM (
        SELECT of_order, customer_id, line, item, pg_temp.line_taste(pg_temp.draw('taste', item), main) AS taste,
               pg_temp.draw('along', of_order) + 0.381966 * line AS along
        FROM (SELECT *, pg_temp.order_taste(pg_temp.draw('leading taste', of_order)) AS main
              FROM unnest(orders, customers, items, items_before) AS lists (of_order, customer_id, items, before)
              OFFSET 0) AS baskets
        CROSS JOIN LATERAL generate_series(1, items) AS line
        CROSS JOIN LATERAL (SELECT before + line AS item OFFSET 0) AS numbered
        OFFSET 0
    ) AS lines
    JOIN pg_temp.tastes((SELECT array_agg(DISTINCT id) FROM unnest(customers) AS id)) AS tastes
        USING (customer_id, taste)
    CROSS JOIN (SELECT array_agg(low ORDER BY slot) AS lows, count(*) AS products FROM pg_temp.shelf()) AS edges
    OFFSET 0
) AS points $$;

-- The number by which is drawn what follows an order: of a customer, the order of this number, or 0 before the first.
CREATE OR REPLACE FUNCTION pg_temp.visit(customer_id bigint, made bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT customer_id * 100000 + made $$;

-- The days from order to order that are usual with a customer: about a week, a fortnight, a month, two months, a quarter.
CREATE OR REPLACE FUNCTION pg_temp.rhythm(customer_id bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT (ARRAY[6, 12, 27, 60, 100])[1 + width_bucket(pg_temp.trait('rhythm', customer_id),
                                                       '{0.25,0.47,0.77,0.97}'::double precision[])]
          * (0.75 + 0.5 * pg_temp.trait('own rhythm', customer_id)) $$;

-- The days until the next order of who has made so many: half lie within 0.85 to 1.18 of the rhythm, one in a hundred is
-- above twice as much. The first order comes soon after the sign-up.
CREATE OR REPLACE FUNCTION pg_temp.pause(rhythm double precision, made bigint, chance double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT rhythm * CASE WHEN made = 0 THEN chance ^ 3 ELSE (chance / (1 - chance)) ^ 0.15 END $$;

-- How easily a customer leaves: each has an own measure. Who orders often has more occasions to, and is the more easily lost.
CREATE OR REPLACE FUNCTION pg_temp.fickleness(customer_id bigint, rhythm double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE AS
$$ SELECT (0.001 + 0.11 * pg_temp.trait('fickle', customer_id) ^ 2) * (27 / rhythm) ^ 0.3 $$;

-- The chance to leave for good after the order of this number: high after the first ones, and after one that was cancelled
-- or sent back. One in twenty-five never orders.
CREATE OR REPLACE FUNCTION pg_temp.leaving(fickleness double precision, made bigint, bad boolean) RETURNS double precision
LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN made = 0 THEN 0.04
               ELSE fickleness * (1 + 2::double precision / made) * CASE WHEN bad THEN 7 ELSE 1 END END $$;
