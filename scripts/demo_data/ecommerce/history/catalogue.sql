-- The calendar, and what the shop sells and with whom it works.

-- Edges of the days, as the share of all trade before them: what is drawn evenly falls on busy days more often.
CREATE TEMP TABLE calendar ON COMMIT DROP AS
WITH weights AS (
    SELECT number, (ARRAY[0.9, 0.85, 0.95, 0.95, 1, 0.95, 0.85, 0.85, 1, 1.05, 1.6, 1.75])[extract(month FROM day)::int]
        * CASE extract(isodow FROM day) WHEN 6 THEN 1.25 WHEN 7 THEN 1.35 WHEN 2 THEN 0.9 ELSE 1 END
        * CASE WHEN to_char(day, 'MM-DD') BETWEEN '11-24' AND '11-30' THEN 1.4 ELSE 1 END AS weight
    FROM generate_series(0, 547) AS number CROSS JOIN LATERAL (SELECT date '2025-05-02' + number AS day) AS days
), sums AS (
    SELECT number, sum(weight) OVER (ORDER BY number) - weight AS before, sum(weight) OVER () AS total FROM weights
)
SELECT array_agg((before / total)::double precision ORDER BY number) || 1::double precision AS edges,
       '{0,0.012,0.018,0.022,0.025,0.03,0.042,0.065,0.10,0.145,0.195,0.245,0.30,0.355,0.405,0.455,0.505,0.56,0.625,0.70,0.79,
         0.875,0.94,0.98,1}'::double precision[] AS hours
FROM sums;

INSERT INTO categories
SELECT id, parent, name, timestamptz '2024-01-15 09:00+00' + id * interval '1 minute',
       timestamptz '2024-01-15 09:00+00' + id * interval '1 minute'
FROM (VALUES
    (1, NULL, 'Electronics'), (2, NULL, 'Home & Kitchen'), (3, NULL, 'Sports'), (4, NULL, 'Toys'), (5, NULL, 'Books'),
    (6, NULL, 'Garden'),
    (7, 1, 'Audio'), (8, 1, 'Computers'), (9, 1, 'Photo'), (10, 2, 'Cookware'), (11, 2, 'Lighting'), (12, 2, 'Textiles'),
    (13, 3, 'Cycling'), (14, 3, 'Running'), (15, 3, 'Camping'), (16, 4, 'Puzzles'), (17, 4, 'Building Sets'),
    (18, 5, 'Fiction'), (19, 5, 'Cookbooks'), (20, 6, 'Tools'), (21, 6, 'Plants'),
    (22, 7, 'Headphones'), (23, 7, 'Speakers'), (24, 8, 'Keyboards'), (25, 8, 'Monitors'), (26, 9, 'Tripods'),
    (27, 10, 'Pans'), (28, 10, 'Knives'), (29, 11, 'Desk Lamps'), (30, 11, 'Bulbs'), (31, 12, 'Towels'),
    (32, 13, 'Helmets'), (33, 13, 'Lights'), (34, 14, 'Shoes'), (35, 15, 'Tents'), (36, 15, 'Stoves'),
    (37, 17, 'Trains'), (38, 18, 'Crime'), (39, 20, 'Shears'), (40, 21, 'Seeds')
) AS tree (id, parent, name);

INSERT INTO suppliers
SELECT id, pg_temp.pick('{Northern,United,Delta,Harbour,Summit,Meadow,Union,Atlas}', pg_temp.draw('supplier front', id)) || ' '
           || pg_temp.pick('{Trading,Manufacturing,Imports,Wholesale,Goods}', pg_temp.draw('supplier back', id)) || ' ' || id,
       pg_temp.country(pg_temp.draw('supplier country', id)), pg_temp.between(3, 45, pg_temp.draw('lead time', id)),
       made.at, made.at
FROM generate_series(1, greatest(3, round(40 * sqrt(%(scale)s))::int)) AS id
CROSS JOIN LATERAL (SELECT timestamptz '2024-02-01 08:00+00' + id * interval '1 hour' AS at) AS made;

INSERT INTO warehouses
SELECT id, name, country, city, timestamptz '2024-01-10 08:00+00', timestamptz '2024-01-10 08:00+00'
FROM (VALUES (1, 'Central Depot', 'DE', 'Leipzig'), (2, 'West Depot', 'FR', 'Lille'), (3, 'South Depot', 'ES', 'Zaragoza'),
             (4, 'Island Depot', 'GB', 'Leeds')) AS depots (id, name, country, city);

INSERT INTO carriers
SELECT id, name, days, timestamptz '2024-01-11 08:00+00', timestamptz '2024-01-11 08:00+00'
FROM (VALUES (1, 'Swift Parcel', 2), (2, 'Blue Van', 3), (3, 'Continental Post', 4), (4, 'Green Freight', 5),
             (5, 'City Courier', 2)) AS firms (id, name, days);

-- One after another, with some days between; the last two reach into the days that are played.
INSERT INTO promotions
SELECT id, 'SAVE' || lpad(id::text, 2, '0') || '-' || percent, percent, starts_at,
       CASE WHEN id = 30 THEN timestamptz '2027-10-31 00:00+00'
            ELSE starts_at + pg_temp.between(11, 19, pg_temp.draw('promotion', id)) * interval '1 day' END,
       starts_at - interval '7 days', starts_at - interval '7 days'
FROM (SELECT id, 5 * pg_temp.between(1, 6, pg_temp.draw('percent', id)) AS percent,
             timestamptz '2025-05-02 00:00+00' + (id - 1) * interval '19 days' AS starts_at
      FROM generate_series(1, 30) AS id) AS plan;

-- Nine in ten have been there from the beginning; the price of half was changed once.
INSERT INTO products
SELECT id, 'SKU-' || lpad(id::text, 6, '0'),
       pg_temp.pick('{Classic,Compact,Premium,Basic,Pro,Eco,Travel,Family}', pg_temp.draw('product front', id)) || ' '
           || categories.name || ' ' || pg_temp.pick('{A,B,C,X,S,Plus,Mini,Max}', pg_temp.draw('product back', id)) || id,
       category_id, pg_temp.between(1, (SELECT count(*)::int FROM suppliers), pg_temp.draw('supplier', id)),
       price::numeric(10, 2), round((price * (0.45 + 0.3 * pg_temp.draw('margin', id)))::numeric, 2),
       pg_temp.draw('active', id) < 0.95, made.at,
       CASE WHEN pg_temp.draw('price changed', id) < 0.5
            THEN made.at + pg_temp.draw('price changed at', id) * (timestamptz '2026-10-31 20:00+00' - made.at)
            ELSE made.at END
FROM (SELECT id, pg_temp.first_category(id) AS category_id,
             round(exp(1.6 + 4.4 * pg_temp.draw('price', id) ^ 1.4)::numeric) - 0.05 AS price,
             pg_temp.draw('launched', id) AS launched
      FROM generate_series(1, greatest(20, round(500 * sqrt(%(scale)s))::int)) AS id) AS plan
JOIN categories USING (category_id)
CROSS JOIN LATERAL (SELECT date_trunc('milliseconds', CASE
    WHEN launched < 0.9 THEN timestamptz '2024-03-01 08:00+00' + launched * interval '440 days'
    ELSE timestamptz '2025-05-02 08:00+00' + (launched - 0.9) * interval '5000 days' END) AS at) AS made;

ANALYZE categories, suppliers, products, promotions;

-- The products as they stand side by side, with the price before the change.
CREATE TEMP TABLE shelf ON COMMIT DROP AS
SELECT slot, rank, low, product_id, unit_price, unit_cost, created_at, updated_at AS changed_at,
       round(unit_price * (0.88 + 0.2 * pg_temp.draw('price before', product_id))::numeric, 2) AS old_price
FROM pg_temp.shelf() JOIN products USING (product_id);
ANALYZE shelf;
