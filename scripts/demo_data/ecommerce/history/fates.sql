-- What becomes of each order, decided before any of its rows is written; ids of items and parcels follow from it.
-- OFFSET 0 keeps the planner from copying each drawn value to every place that uses it.

-- Orders by the moment they were placed. Each customer orders in the own rhythm, from sign-up on, until they leave. Of these
-- visits the earliest are kept, as many as the shop has orders; then all days are stretched alike, so that the last one of
-- them falls on the end of the history.
CREATE TEMP TABLE visits ON COMMIT DROP AS
SELECT customer_id, number, begins + (1 - begins) * share / max(share) OVER () AS moment
FROM (
    SELECT customer_id, number, begins, days / (548 * (1 - begins)) AS share
    FROM (
        SELECT customer_id, number, begins, sum(pause) OVER so_far AS days,
               sum(leaves::int) OVER so_far - leaves::int AS left_before
        FROM (
            SELECT customer_id, begins, place, number,
                   -- who was a customer before the history is somewhere between two orders when it begins
                   CASE WHEN place = 1 AND begins = 0 THEN rhythm * coming
                        ELSE pg_temp.pause(rhythm, place - 1, coming) END AS pause,
                   -- the first comparison spares most rows the draws of the second
                   staying < pg_temp.leaving(fickleness, place, true) AND staying < pg_temp.leaving(fickleness, place,
                       pg_temp.draw('cancelled', number) < 0.04 OR pg_temp.draw('complains', number) < 0.062) AS leaves
            FROM (
                SELECT customer_id, begins, rhythm, fickleness, place, number,
                       pg_temp.trait('pause', number - 1) AS coming, pg_temp.trait('leaves', number) AS staying
                FROM buyers
                CROSS JOIN LATERAL (SELECT 700 * (1 - begins) / rhythm AS expected OFFSET 0) AS most
                CROSS JOIN LATERAL generate_series(1, 3 + ceil(expected + sqrt(expected))::int) AS place
                CROSS JOIN LATERAL (SELECT pg_temp.visit(customer_id, place) AS number OFFSET 0) AS numbered
                WHERE pg_temp.trait('leaves', pg_temp.visit(customer_id, 0)) >= pg_temp.leaving(fickleness, 0, false)
                OFFSET 0
            ) AS drawn
        ) AS decided
        WINDOW so_far AS (PARTITION BY customer_id ORDER BY place ROWS UNBOUNDED PRECEDING)
    ) AS dated
    WHERE left_before = 0 AND days < 1.4 * 548 * (1 - begins)
    ORDER BY share, number LIMIT round(100000 * %(scale)s)
) AS kept;

CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY placed_at, number) AS order_id, customer_id, number, country, address_id, placed_at
FROM (
    SELECT customer_id, number, least(greatest(
               timestamptz '2025-05-02 00:00+00' + (day - 1) * interval '1 day'
               + (hour - 1 + pg_temp.draw('minute', number)) * interval '1 hour',
               created_at + pg_temp.draw('soon', number) * interval '50 minutes'), '2026-10-31 23:59:59+00') AS placed_at,
           CASE WHEN elsewhere THEN second_address_id ELSE customer_id END AS address_id,
           CASE WHEN elsewhere THEN second_country ELSE country END AS country
    FROM (
        SELECT buyers.*, number, second_address_id IS NOT NULL AND pg_temp.draw('elsewhere', number) < 0.3 AS elsewhere,
               width_bucket(pg_temp.draw('hour', number), (SELECT hours FROM calendar)) AS hour,
               -- [:] copies: as the edges are stored, each use would unpack them
               width_bucket(moment, (SELECT edges[:] FROM calendar)) AS day
        FROM visits JOIN buyers USING (customer_id)
    ) AS drawn
) AS moments;

CREATE TEMP TABLE fates ON COMMIT DROP AS
SELECT *, CASE WHEN cancelled_at < '2026-11-01 00:00+00' THEN 'cancelled'
               WHEN delivered_at IS NOT NULL AND (NOT two OR second_delivered_at IS NOT NULL) THEN 'delivered'
               WHEN shipped_at IS NOT NULL THEN 'shipped'
               WHEN paid_at < '2026-11-01 00:00+00' THEN 'paid' ELSE 'placed' END AS status,
       sum(items) OVER before - items AS items_before,
       sum((shipped_at IS NOT NULL)::int + (second_shipped_at IS NOT NULL)::int) OVER before
           - (shipped_at IS NOT NULL)::int - (second_shipped_at IS NOT NULL)::int AS parcels_before
FROM (
    SELECT *, CASE WHEN shipped_at + pg_temp.hours(transit) < '2026-11-01 00:00+00' THEN shipped_at + pg_temp.hours(transit) END
                  AS delivered_at,
           CASE WHEN second_shipped_at + pg_temp.hours(second_transit) < '2026-11-01 00:00+00'
                THEN second_shipped_at + pg_temp.hours(second_transit) END AS second_delivered_at
    FROM (
        SELECT *, CASE WHEN cancelled_at IS NULL AND paid_at + handling < '2026-11-01 00:00+00' THEN paid_at + handling END
                      AS shipped_at,
               CASE WHEN cancelled_at IS NULL AND two AND paid_at + handling + second_handling < '2026-11-01 00:00+00'
                    THEN paid_at + handling + second_handling END AS second_shipped_at
        FROM (
            SELECT placed.*, items, promised.days, items > 1 AND pg_temp.draw('two parcels', order_id) < 0.2 AS two,
                   carrier_id, pg_temp.between(1, 4, pg_temp.draw('depot', order_id)) AS warehouse_id,
                   CASE WHEN pg_temp.draw('cancelled', number) < 0.04
                        THEN placed_at + pg_temp.hours(0.2 + 20 * pg_temp.draw('cancelled at', order_id)) END AS cancelled_at,
                   placed_at + CASE WHEN pg_temp.draw('prompt', order_id) < 0.78
                                    THEN pg_temp.hours(0.05 * pg_temp.draw('paid', order_id))
                                    ELSE pg_temp.hours(1 + 60 * pg_temp.draw('paid', order_id)) END AS paid_at,
                   pg_temp.hours(5 + 45 * pg_temp.draw('handling', order_id)) AS handling,
                   pg_temp.hours(1 + 30 * pg_temp.draw('second handling', order_id)) AS second_handling,
                   -- an eighth comes late
                   24 * promised.days * CASE WHEN pg_temp.draw('late', order_id) < 0.12
                        THEN 1.02 + 1.2 * pg_temp.draw('transit', order_id)
                        ELSE 0.35 + 0.63 * pg_temp.draw('transit', order_id) END AS transit,
                   24 * promised.days * CASE WHEN pg_temp.draw('second late', order_id) < 0.12
                        THEN 1.02 + 1.2 * pg_temp.draw('second transit', order_id)
                        ELSE 0.35 + 0.63 * pg_temp.draw('second transit', order_id) END AS second_transit,
                   promotions.promotion_id, promotions.percent
            FROM placed
            CROSS JOIN LATERAL (SELECT pg_temp.lines(pg_temp.draw('lines', order_id)) AS items,
                                       pg_temp.between(1, 5, pg_temp.draw('carrier', order_id)) AS carrier_id OFFSET 0) AS drawn
            JOIN (SELECT carrier_id, promised_days AS days FROM carriers) AS promised USING (carrier_id)
            LEFT JOIN promotions ON promotions.promotion_id = 1 + (placed_at::date - date '2025-05-02') / 19
                AND placed_at < promotions.ends_at AND pg_temp.draw('promoted', order_id) < 0.3
            OFFSET 0
        ) AS paid
        OFFSET 0
    ) AS shipped
    OFFSET 0
) AS delivered
WINDOW before AS (ORDER BY order_id ROWS UNBOUNDED PRECEDING);
DROP TABLE placed;
ANALYZE fates;
