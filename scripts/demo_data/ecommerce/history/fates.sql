-- What becomes of each order, decided before any of its rows is written; ids of items and parcels follow from it.
-- OFFSET 0 keeps the planner from copying each drawn value to every place that uses it.

-- Orders by the moment they were placed. A customer orders from sign-up on; four in nine cease some time.
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY placed_at, customer_id, number) AS order_id, customer_id, country, address_id, placed_at
FROM (
    SELECT customer_id, number, least(greatest(
               timestamptz '2025-05-02 00:00+00' + (day - 1) * interval '1 day'
               + (hour - 1 + pg_temp.draw('minute', number)) * interval '1 hour',
               created_at + pg_temp.draw('soon', number) * interval '50 minutes'), '2026-10-31 23:59:59+00') AS placed_at,
           CASE WHEN elsewhere THEN second_address_id ELSE customer_id END AS address_id,
           CASE WHEN elsewhere THEN second_country ELSE country END AS country
    FROM (
        SELECT buyer.*, number, second_address_id IS NOT NULL AND pg_temp.draw('elsewhere', number) < 0.3 AS elsewhere,
               width_bucket(pg_temp.draw('hour', number), (SELECT hours FROM calendar)) AS hour,
               width_bucket(begins + (1 - begins) * lasts
                   * pg_temp.draw('when', number) ^ (CASE WHEN place = 1 THEN 4 ELSE 1 END), (SELECT edges FROM calendar)) AS day
        FROM (
            SELECT *, (SELECT edges FROM calendar)[greatest(1, (created_at::date - date '2025-05-02') + 1)] AS begins,
                   CASE WHEN pg_temp.draw('ceases', customer_id) < 0.44 THEN 0.05 + 0.7 * pg_temp.draw('ceases at', customer_id)
                        ELSE 1 END AS lasts,
                   floor(weight * round(100000 * %(scale)s) / sum(weight) OVER (ORDER BY customer_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) + pg_temp.draw('share', customer_id))::int AS orders
            FROM buyers
        ) AS buyer
        CROSS JOIN LATERAL generate_series(1, orders) AS place
        CROSS JOIN LATERAL (SELECT customer_id * 100000 + place AS number OFFSET 0) AS numbered
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
                   CASE WHEN pg_temp.draw('cancelled', order_id) < 0.04
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
