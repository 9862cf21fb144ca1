-- Of the customers who first ordered in a month: how many ordered in each month from then to the as-of month.
-- A month is counted here as 12 * year + month - 1, so that months can be subtracted.
WITH active AS (
    SELECT DISTINCT customer_id, 12 * extract(year FROM placed)::int + extract(month FROM placed)::int - 1 AS month
    FROM (
        SELECT customer_id, placed_at AT TIME ZONE 'UTC' AS placed
        FROM shop.orders
        WHERE status <> 'cancelled' AND customer_id IS NOT NULL
    ) AS counting
),
as_of AS (
    SELECT 12 * extract(year FROM latest)::int + extract(month FROM latest)::int - 1 AS month
    FROM (SELECT max(placed_at) AT TIME ZONE 'UTC' AS latest FROM shop.orders) AS orders
),
cohort_of AS (
    SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
),
cohorts AS (
    SELECT cohort, count(*) AS customers FROM cohort_of GROUP BY cohort
),
retained AS (
    SELECT c.cohort, a.month - c.cohort AS months_since, count(*) AS customers
    FROM active a
    JOIN cohort_of c USING (customer_id)
    GROUP BY 1, 2
)
SELECT
    make_date(c.cohort / 12, c.cohort % 12 + 1, 1) AS cohort_month,
    later.months_since,
    c.customers,
    coalesce(r.customers, 0) AS retained,
    coalesce(r.customers, 0)::double precision / c.customers AS retention_rate
FROM cohorts c
CROSS JOIN as_of
CROSS JOIN LATERAL generate_series(0, as_of.month - c.cohort) AS later (months_since)
LEFT JOIN retained r ON r.cohort = c.cohort AND r.months_since = later.months_since
ORDER BY 1, 2
