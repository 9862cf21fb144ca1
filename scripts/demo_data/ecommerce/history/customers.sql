-- Customers in the order in which they signed up, a fifth before the first day; most have one address, some two.
INSERT INTO customers
SELECT id, first_name, last_name, pg_temp.email(first_name, last_name, id, pg_temp.draw('email', id)),
       pg_temp.phone(country, pg_temp.draw('phone', id), pg_temp.draw('phone style', id)),
       CASE WHEN pg_temp.draw('birth known', id) < 0.9
            THEN date '1940-01-01' + pg_temp.between(0, 24836, pg_temp.draw('birth', id)) END,
       pg_temp.card(pg_temp.draw('card', id), pg_temp.draw('card end', id), pg_temp.draw('card style', id)),
       pg_temp.host(pg_temp.draw('host', id), pg_temp.draw('host style', id)),
       country, pg_temp.draw('opt in', id) < 0.3, made_at,
       CASE WHEN pg_temp.draw('changed', id) < 0.12
            THEN made_at + pg_temp.draw('changed at', id) * (timestamptz '2026-10-31 23:00+00' - made_at) ELSE made_at END
FROM (
    SELECT id, pg_temp.first_name(pg_temp.draw('first', id), pg_temp.draw('first end', id)) AS first_name,
           pg_temp.last_name(pg_temp.draw('last', id), pg_temp.draw('last end', id)) AS last_name,
           pg_temp.country(pg_temp.draw('country', id)) AS country,
           date_trunc('milliseconds', CASE
               WHEN place < 0.2 THEN timestamptz '2024-05-01 06:00+00' + place / 0.2 * interval '365 days'
               ELSE timestamptz '2025-05-02 06:00+00' + (place - 0.2) / 0.8 * interval '547 days 16 hours' END) AS made_at
    FROM (SELECT id, (id - 1 + pg_temp.draw('signed up', id)) / greatest(1, round(10000 * %(scale)s)) AS place
          FROM generate_series(1, greatest(1, round(10000 * %(scale)s))::bigint) AS id) AS places
    OFFSET 0
) AS people;

-- Who buys where: the second address has a number after all first ones. `begins` is the share of the history's trade that
-- was before they came.
CREATE TEMP TABLE buyers ON COMMIT DROP AS
SELECT customer_id, country::text, created_at,
       CASE WHEN second THEN (SELECT count(*) FROM customers) + count(*) FILTER (WHERE second) OVER (ORDER BY customer_id) END
           AS second_address_id,
       CASE WHEN pg_temp.draw('abroad', customer_id) < 0.2 THEN pg_temp.country(pg_temp.draw('other country', customer_id))
            ELSE country END AS second_country,
       (SELECT edges FROM calendar)[greatest(1, (created_at::date - date '2025-05-02') + 1)] AS begins,
       rhythm, pg_temp.fickleness(customer_id, rhythm) AS fickleness
FROM (SELECT *, pg_temp.draw('second address', customer_id) < 0.25 AS second, pg_temp.rhythm(customer_id) AS rhythm
      FROM customers ORDER BY customer_id OFFSET 0) AS people;

INSERT INTO addresses
SELECT address_id, customer_id,
       pg_temp.street(pg_temp.draw('street', address_id), pg_temp.draw('street end', address_id),
                      pg_temp.draw('house', address_id)),
       pg_temp.city(country, pg_temp.draw('city', address_id)),
       lpad(pg_temp.between(1000, 99999, pg_temp.draw('postal code', address_id))::text, 5, '0'), country, made_at, made_at
FROM (SELECT customer_id AS address_id, customer_id, country, created_at AS made_at FROM buyers
      UNION ALL
      SELECT second_address_id, customer_id, second_country, created_at + interval '10 minutes' FROM buyers
      WHERE second_address_id IS NOT NULL) AS plan
ORDER BY address_id;
ANALYZE buyers;
