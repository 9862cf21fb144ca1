WITH content AS (
    SELECT shipment_id, sum(quantity) AS units, sum(gmv) AS gmv FROM gold.fct_order_items GROUP BY shipment_id
), back AS (
    SELECT shipment_id, sum(quantity) AS returned_units FROM gold.fct_returns GROUP BY shipment_id
)
SELECT s.shipment_id, s.order_id, CAST(s.shipped_at AS DATE) AS ship_date,
       CAST(date_trunc('week', s.shipped_at) AS DATE) AS ship_week, s.carrier_id, s.warehouse_id, s.shipped_at, s.delivered_at,
       (unix_micros(s.delivered_at) - unix_micros(s.shipped_at)) / 3.6e9 AS delivery_hours,
       s.delivered_at <= s.promised_at AS is_on_time, s.shipping_cost, coalesce(content.units, 0) AS units,
       coalesce(content.gmv, 0) AS gmv, coalesce(back.returned_units, 0) AS returned_units
  FROM silver.shipments AS s
  LEFT JOIN content ON s.shipment_id = content.shipment_id
  LEFT JOIN back ON s.shipment_id = back.shipment_id
