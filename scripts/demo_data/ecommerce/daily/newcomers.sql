-- New customers, each with an address.
CREATE TEMP TABLE newcomers ON COMMIT DROP AS
SELECT customer_id, pg_temp.first_name(pg_temp.draw('first', customer_id), pg_temp.draw('first end', customer_id)) AS first_name,
       pg_temp.last_name(pg_temp.draw('last', customer_id), pg_temp.draw('last end', customer_id)) AS last_name,
       pg_temp.country(pg_temp.draw('country', customer_id)) AS country,
       (SELECT max(address_id) FROM addresses) + number AS address_id,
       %(day)s + (number - pg_temp.draw('signed up', customer_id)) / %(customers)s * (%(now)s - %(day)s) AS made_at
FROM (SELECT number, (SELECT max(customer_id) FROM customers) + number AS customer_id
      FROM generate_series(1, %(customers)s) AS number) AS numbers;

INSERT INTO customers
SELECT customer_id, first_name, last_name, pg_temp.email(first_name, last_name, customer_id, pg_temp.draw('email', customer_id)),
       pg_temp.phone(country, pg_temp.draw('phone', customer_id), pg_temp.draw('phone style', customer_id)),
       CASE WHEN pg_temp.draw('birth known', customer_id) < 0.9
            THEN date '1940-01-01' + pg_temp.between(0, 24836, pg_temp.draw('birth', customer_id)) END,
       pg_temp.card(pg_temp.draw('card', customer_id), pg_temp.draw('card end', customer_id),
                    pg_temp.draw('card style', customer_id)),
       pg_temp.host(pg_temp.draw('host', customer_id), pg_temp.draw('host style', customer_id)),
       country, pg_temp.draw('opt in', customer_id) < 0.3, made_at, made_at
FROM newcomers ORDER BY customer_id;

INSERT INTO addresses
SELECT address_id, customer_id,
       pg_temp.street(pg_temp.draw('street', address_id), pg_temp.draw('street end', address_id),
                      pg_temp.draw('house', address_id)),
       pg_temp.city(country, pg_temp.draw('city', address_id)),
       lpad(pg_temp.between(1000, 99999, pg_temp.draw('postal code', address_id))::text, 5, '0'), country, made_at, made_at
FROM newcomers ORDER BY address_id;
