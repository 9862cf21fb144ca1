WITH weeks AS (
    SELECT carrier_id, ship_week AS week, count(*) AS parcels, count(delivered_at) AS delivered_parcels,
           avg(delivery_hours) AS delivery_hours_mean,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY delivery_hours) AS delivery_hours_median,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY delivery_hours) AS delivery_hours_p90,
           count_if(is_on_time) AS on_time, sum(returned_units) FILTER (WHERE delivered_at IS NOT NULL) AS back,
           sum(units) FILTER (WHERE delivered_at IS NOT NULL) AS sent, sum(shipping_cost) AS shipping_cost,
           count(DISTINCT order_id) AS orders, sum(gmv) AS gmv
      FROM gold.fct_shipments GROUP BY carrier_id, ship_week
)
SELECT w.carrier_id, c.name AS carrier, w.week, w.parcels, w.delivered_parcels, w.delivery_hours_mean,
       w.delivery_hours_median, w.delivery_hours_p90, CAST(w.on_time AS DOUBLE) / nullif(w.delivered_parcels, 0) AS on_time_rate,
       CAST(w.back AS DOUBLE) / nullif(w.sent, 0) AS return_rate, w.shipping_cost,
       CAST(w.shipping_cost / w.orders AS DECIMAL(18, 2)) AS shipping_cost_per_order,
       CAST(w.shipping_cost AS DOUBLE) / CAST(nullif(w.gmv, 0) AS DOUBLE) AS shipping_cost_over_gmv
  FROM weeks AS w LEFT JOIN silver.carriers AS c ON w.carrier_id = c.carrier_id
