-- Customers move, some abroad; others have another e-mail address or phone; some ask to be deleted.
CREATE TEMP TABLE movers ON COMMIT DROP AS
SELECT customers.customer_id, address_id, CASE WHEN pg_temp.draw('abroad', id) < 0.3 THEN pg_temp.country(pg_temp.draw('to', id))
                                               ELSE addresses.country END AS country
FROM pg_temp.lottery('movers', 1, (SELECT max(customer_id) FROM customers), %(movers)s * 2 + 20)
JOIN customers ON customers.customer_id = id
CROSS JOIN LATERAL (SELECT address_id, addresses.country FROM addresses WHERE addresses.customer_id = id
                    ORDER BY address_id LIMIT 1) AS addresses
ORDER BY ticket LIMIT %(movers)s;
UPDATE addresses
SET street = pg_temp.street(pg_temp.draw('street', addresses.address_id), pg_temp.draw('street end', addresses.address_id),
                            pg_temp.draw('house', addresses.address_id)),
    city = pg_temp.city(movers.country, pg_temp.draw('city', addresses.address_id)),
    postal_code = lpad(pg_temp.between(1000, 99999, pg_temp.draw('postal code', addresses.address_id))::text, 5, '0'),
    country = movers.country
FROM movers WHERE addresses.address_id = movers.address_id;
UPDATE customers SET country = movers.country
FROM movers WHERE customers.customer_id = movers.customer_id AND customers.country <> movers.country;

UPDATE customers
SET email = CASE WHEN pg_temp.draw('which', customer_id) < 0.5
                 THEN replace(pg_temp.email(first_name, last_name, customer_id, pg_temp.draw('email', customer_id)), '@',
                              '-' || to_char(%(day)s, 'YYMMDD') || '@') ELSE email END,
    phone = CASE WHEN pg_temp.draw('which', customer_id) < 0.5 THEN phone
                 ELSE pg_temp.phone(country, pg_temp.draw('phone', customer_id), 0.12 + 0.88 * pg_temp.draw('style', customer_id)) END
WHERE customer_id IN (SELECT id FROM pg_temp.lottery('contacts', 1, (SELECT max(customer_id) FROM customers), %(contacts)s));

-- Not who ordered often: each of their orders changes with them. The newest stays, so that no number is given twice.
DELETE FROM customers WHERE customer_id IN (
    SELECT id FROM pg_temp.lottery('leavers', 1, (SELECT max(customer_id) - 1 FROM customers), %(leavers)s * 10 + 20)
    JOIN customers ON customer_id = id AND created_at < %(day)s
    WHERE (SELECT count(*) FROM orders WHERE orders.customer_id = id) <= 8
    ORDER BY ticket LIMIT %(leavers)s);
