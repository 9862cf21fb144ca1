-- A shop's PostgreSQL. Triggers stamp updated_at; what is deleted in one table is followed in the others.
-- Large tables have an index on the column by which they are loaded.
CREATE SCHEMA IF NOT EXISTS shop;
SET search_path = shop;

-- The moment that triggers stamp: the session's `shop.now`, where it is set (a day that is played), else the clock.
CREATE OR REPLACE FUNCTION shop_now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('shop.now', true), '')::timestamptz, clock_timestamp()) $$;

CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.updated_at := greatest(shop.shop_now(), OLD.updated_at + interval '1 microsecond'); RETURN NEW; END $$;

CREATE TABLE IF NOT EXISTS categories (
    category_id int PRIMARY KEY,
    parent_id   int REFERENCES categories,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS suppliers (
    supplier_id    int PRIMARY KEY,
    name           text NOT NULL,
    country        char(2) NOT NULL,
    lead_time_days int NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS warehouses (
    warehouse_id int PRIMARY KEY,
    name         text NOT NULL,
    country      char(2) NOT NULL,
    city         text NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS carriers (
    carrier_id    int PRIMARY KEY,
    name          text NOT NULL,
    promised_days int NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS products (
    product_id  int PRIMARY KEY,
    sku         text NOT NULL UNIQUE,
    name        text NOT NULL,
    category_id int NOT NULL REFERENCES categories,
    supplier_id int NOT NULL REFERENCES suppliers,
    unit_price  numeric(10,2) NOT NULL,
    unit_cost   numeric(10,2) NOT NULL,
    is_active   boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS customers (
    customer_id      bigint PRIMARY KEY,
    first_name       text,
    last_name        text,
    email            text NOT NULL,
    phone            text,
    birth_date       date,
    card_number      text,
    signup_ip        inet,
    country          char(2) NOT NULL,
    marketing_opt_in boolean NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS addresses (
    address_id  bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
    street      text NOT NULL,
    city        text NOT NULL,
    postal_code text NOT NULL,
    country     char(2) NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS promotions (
    promotion_id int PRIMARY KEY,
    code         text NOT NULL,
    percent      numeric(5,2) NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    order_id            bigint PRIMARY KEY,
    customer_id         bigint REFERENCES customers ON DELETE SET NULL,
    shipping_address_id bigint REFERENCES addresses ON DELETE SET NULL,
    promotion_id        int REFERENCES promotions,
    status              text NOT NULL CHECK (status IN ('placed', 'paid', 'shipped', 'delivered', 'cancelled')),
    country             char(2) NOT NULL, -- to which it goes
    shipping_fee        numeric(10,2) NOT NULL,
    tax                 numeric(10,2) NOT NULL,
    placed_at           timestamptz NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS shipments (
    shipment_id   bigint PRIMARY KEY,
    order_id      bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    carrier_id    int NOT NULL REFERENCES carriers,
    warehouse_id  int NOT NULL REFERENCES warehouses,
    shipping_cost numeric(10,2) NOT NULL,
    shipped_at    timestamptz NOT NULL,
    promised_at   timestamptz NOT NULL,
    delivered_at  timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS order_items (
    order_item_id bigint PRIMARY KEY,
    order_id      bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    line_no       int NOT NULL,
    product_id    int NOT NULL REFERENCES products,
    shipment_id   bigint REFERENCES shipments ON DELETE SET NULL,
    quantity      int NOT NULL,
    unit_price    numeric(10,2) NOT NULL,
    unit_cost     numeric(10,2) NOT NULL,
    discount      numeric(10,2) NOT NULL, -- of the whole line
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS payments (
    payment_id bigint PRIMARY KEY,
    order_id   bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    method     text NOT NULL,
    status     text NOT NULL CHECK (status IN ('pending', 'paid', 'failed', 'voided')),
    amount     numeric(10,2) NOT NULL,
    paid_at    timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS refunds (
    refund_id     bigint PRIMARY KEY,
    payment_id    bigint NOT NULL REFERENCES payments ON DELETE CASCADE,
    order_item_id bigint NOT NULL REFERENCES order_items ON DELETE CASCADE,
    status        text NOT NULL CHECK (status IN ('requested', 'paid_out', 'refused')),
    amount        numeric(10,2) NOT NULL,
    requested_at  timestamptz NOT NULL,
    paid_out_at   timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS returns (
    return_id   bigint PRIMARY KEY,
    order_id    bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    status      text NOT NULL CHECK (status IN ('announced', 'received')),
    reason      text NOT NULL,
    returned_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS return_items (
    return_item_id bigint PRIMARY KEY,
    return_id      bigint NOT NULL REFERENCES returns ON DELETE CASCADE,
    order_item_id  bigint NOT NULL REFERENCES order_items ON DELETE CASCADE,
    quantity       int NOT NULL,
    created_at     timestamptz NOT NULL -- never changed
);
CREATE TABLE IF NOT EXISTS inventory_movements (
    movement_id  bigint PRIMARY KEY,
    product_id   int NOT NULL REFERENCES products,
    warehouse_id int NOT NULL REFERENCES warehouses,
    kind         text NOT NULL CHECK (kind IN ('receipt', 'sale', 'return', 'correction')),
    quantity     int NOT NULL, -- what the level changes by: a sale is negative
    unit_cost    numeric(10,2) NOT NULL,
    moved_at     timestamptz NOT NULL,
    created_at   timestamptz NOT NULL -- when it was written; a late correction moved earlier. Never changed
);
CREATE TABLE IF NOT EXISTS stock_levels (
    product_id   int NOT NULL REFERENCES products,
    warehouse_id int NOT NULL REFERENCES warehouses,
    quantity     int NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (product_id, warehouse_id)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['categories', 'suppliers', 'warehouses', 'carriers', 'products', 'customers', 'addresses',
        'promotions', 'orders', 'shipments', 'order_items', 'payments', 'refunds', 'returns', 'stock_levels'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE ON shop.%I FOR EACH ROW EXECUTE FUNCTION shop.stamp()',
                       'stamp_' || name, name);
    END LOOP;
END $$;
