-- Parcels by carrier and the week in which they were shipped, whatever became of their orders.
WITH returned AS (
    SELECT order_item_id, sum(quantity) AS units FROM shop.return_items GROUP BY order_item_id
),
contents AS (
    SELECT
        i.shipment_id,
        sum(i.quantity) AS units,
        sum(i.quantity * i.unit_price) AS gmv,
        sum(coalesce(r.units, 0)) AS returned_units
    FROM shop.order_items i
    LEFT JOIN returned r USING (order_item_id)
    WHERE i.shipment_id IS NOT NULL
    GROUP BY i.shipment_id
),
parcels AS (
    SELECT
        s.carrier_id,
        date_trunc('week', s.shipped_at AT TIME ZONE 'UTC')::date AS week,
        s.order_id,
        s.shipping_cost,
        s.delivered_at IS NOT NULL AS is_delivered,
        s.delivered_at <= s.promised_at AS is_on_time,
        (extract(epoch FROM s.delivered_at - s.shipped_at) / 3600)::double precision AS hours,
        c.units,
        c.gmv,
        c.returned_units
    FROM shop.shipments s
    LEFT JOIN contents c USING (shipment_id)
),
weeks AS (
    SELECT
        carrier_id,
        week,
        count(*) AS parcels,
        count(*) FILTER (WHERE is_delivered) AS delivered_parcels,
        -- an undelivered parcel has no hours, and what is NULL takes no part in these three
        avg(hours) AS delivery_hours_mean,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY hours) AS delivery_hours_median,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY hours) AS delivery_hours_p90,
        count(*) FILTER (WHERE is_on_time) AS on_time_parcels,
        sum(returned_units) FILTER (WHERE is_delivered) AS returned_units,
        sum(units) FILTER (WHERE is_delivered) AS delivered_units,
        sum(shipping_cost) AS shipping_cost,
        count(DISTINCT order_id) AS orders,
        sum(gmv) AS gmv
    FROM parcels
    GROUP BY carrier_id, week
)
SELECT
    w.carrier_id,
    c.name AS carrier,
    w.week,
    w.parcels,
    w.delivered_parcels,
    w.delivery_hours_mean,
    w.delivery_hours_median,
    w.delivery_hours_p90,
    w.on_time_parcels::double precision / nullif(w.delivered_parcels, 0) AS on_time_rate,
    w.returned_units::double precision / nullif(w.delivered_units, 0) AS return_rate,
    w.shipping_cost,
    round(w.shipping_cost / w.orders, 2) AS shipping_cost_per_order,
    w.shipping_cost::double precision / nullif(w.gmv, 0)::double precision AS shipping_cost_over_gmv
FROM weeks w
JOIN shop.carriers c USING (carrier_id)
ORDER BY w.carrier_id, w.week
