-- A shop small enough to be reckoned by hand; see test_shop_oracle.py. What is a moment without zone here is UTC.
SET timezone = 'UTC';
INSERT INTO categories (category_id, parent_id, name) VALUES (1, NULL, 'Home'), (2, 1, 'Kitchen'), (3, 1, 'Garden');
INSERT INTO suppliers (supplier_id, name, country, lead_time_days) VALUES (1, 'Maker', 'FR', 3);
INSERT INTO warehouses (warehouse_id, name, country, city) VALUES (1, 'North', 'FR', 'Lille'), (2, 'South', 'FR', 'Nice');
INSERT INTO carriers (carrier_id, name, promised_days) VALUES (1, 'Swift', 2), (2, 'Steady', 4);
INSERT INTO products (product_id, sku, name, category_id, supplier_id, unit_price, unit_cost, is_active) VALUES
    (1, 'PAN', 'Pan', 2, 1, 10, 6, true), (2, 'KET', 'Kettle', 2, 1, 40, 20, true), (3, 'SPA', 'Spade', 3, 1, 25, 15, true);
INSERT INTO customers (customer_id, email, country, marketing_opt_in) VALUES
    (1, 'one@example.com', 'FR', true), (2, 'two@example.com', 'DE', false), (3, 'three@example.com', 'ES', false);

INSERT INTO orders (order_id, customer_id, status, country, shipping_fee, tax, placed_at) VALUES
    (1, 1, 'delivered', 'FR', 5, 9, '2026-01-10 10:00'),        -- two categories, two parcels
    (2, 2, 'delivered', 'DE', 5, 2, '2026-01-10 23:30'),
    (3, 1, 'cancelled', 'FR', 5, 40, '2026-01-10 12:00'),
    (4, 1, 'shipped',   'FR', 5, 8, '2026-02-05 10:00'),
    (5, 2, 'delivered', 'DE', 5, 15, '2026-03-01 00:30+02'),    -- the evening of 28 February in UTC
    (6, NULL, 'paid',   'FR', 5, 2, '2026-03-15 08:00'),        -- the customer is gone
    (7, 1, 'placed',    'BE', 5, 2, '2026-05-01 00:00'),        -- to another country than the customer's
    (8, 2, 'cancelled', 'DE', 5, 5, '2026-05-20 09:00');        -- the latest, hence the as-of day

INSERT INTO shipments
    (shipment_id, order_id, carrier_id, warehouse_id, shipping_cost, shipped_at, promised_at, delivered_at) VALUES
    (1, 1, 1, 1, 5.00, '2026-01-12 00:00', '2026-01-14 00:00', '2026-01-13 00:00'),     -- a Monday; 24 hours
    (2, 1, 1, 2, 3.00, '2026-01-13 00:00', '2026-01-15 00:00', '2026-01-15 00:00'),     -- 48 hours, just in time
    (3, 2, 1, 1, 4.01, '2026-01-18 23:00', '2026-01-19 00:00', '2026-01-22 23:00'),     -- a Sunday; 96 hours, late
    (4, 4, 1, 1, 6.00, '2026-02-06 09:00', '2026-02-08 09:00', NULL),                   -- on its way
    (5, 5, 2, 2, 9.99, '2026-03-02 00:00+01', '2026-03-04 00:00', '2026-03-03 23:00'),  -- a Sunday in UTC; 48 hours
    (6, 5, 2, 2, 1.00, '2026-03-09 00:00', '2026-03-09 12:00', '2026-03-10 00:00');     -- nothing in it; 24 hours, late

INSERT INTO order_items
    (order_item_id, order_id, line_no, product_id, shipment_id, quantity, unit_price, unit_cost, discount) VALUES
    (1, 1, 1, 1, 1, 2, 10, 6, 1.00),
    (2, 1, 2, 3, 2, 1, 25, 15, 0),
    (3, 2, 1, 1, 3, 1, 10, 6, 0),
    (4, 3, 1, 2, NULL, 5, 40, 20, 0),
    (5, 4, 1, 2, 4, 1, 40, 20, 4.00),
    (6, 5, 1, 3, 5, 3, 25, 15, 0.01),
    (7, 6, 1, 1, NULL, 1, 10, 6, 0.01),
    (8, 7, 1, 1, NULL, 1, 10, 6, 0),
    (9, 8, 1, 3, NULL, 1, 25, 15, 0);

INSERT INTO payments (payment_id, order_id, method, status, amount, paid_at)
    SELECT order_id, order_id, 'card', 'paid', 10 * order_id, placed_at FROM orders;
INSERT INTO refunds (refund_id, payment_id, order_item_id, status, amount, requested_at, paid_out_at) VALUES
    (1, 1, 2, 'paid_out', 5.00, '2026-01-15 00:00', '2026-01-20 08:00'),    -- on a day without orders
    (2, 2, 3, 'paid_out', 2.50, '2026-01-10 23:50', '2026-01-10 23:59'),    -- on the day of its order
    (3, 4, 5, 'refused', 40.00, '2026-02-07 00:00', NULL),
    (4, 3, 4, 'paid_out', 200.00, '2026-01-11 00:00', '2026-01-12 00:00'),  -- of a cancelled order: counts nowhere
    (5, 5, 6, 'requested', 7.00, '2026-03-10 00:00', NULL);
INSERT INTO returns (return_id, order_id, status, reason, returned_at) VALUES
    (1, 1, 'announced', 'size', '2026-01-15 00:00'), (2, 5, 'received', 'broken', '2026-03-09 00:00');
INSERT INTO return_items (return_item_id, return_id, order_item_id, quantity) VALUES (1, 1, 1, 1), (2, 2, 6, 2);

INSERT INTO inventory_movements (movement_id, product_id, warehouse_id, kind, quantity, unit_cost, moved_at) VALUES
    (1, 1, 1, 'receipt', 3, 6, '2026-01-30 12:00'),         -- level 3, value 18
    (2, 1, 1, 'sale', -3, 6, '2026-01-31 06:00'),           -- level 0, value 0: out of stock
    (3, 1, 1, 'sale', -1, 6, '2026-01-31 18:00'),           -- level -1, value -6: still, not again
    (4, 1, 1, 'receipt', 5, 7, '2026-02-02 00:00'),         -- level 4, value 29
    (5, 1, 1, 'sale', -4, 7, '2026-02-10 08:00'),           -- level 0, value 1: out of stock,
    (6, 1, 1, 'receipt', 2, 7, '2026-02-10 08:00'),         -- level 2, value 15: and for no time at all
    (7, 3, 2, 'receipt', 10, 15, '2026-02-10 20:00'),       -- level 10, value 150
    (8, 3, 2, 'correction', -1, 15, '2026-02-12 09:00');    -- level 9, value 135; the horizon is 13 February 00:00
INSERT INTO stock_levels (product_id, warehouse_id, quantity) VALUES (1, 1, 2);
