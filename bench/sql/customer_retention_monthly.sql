-- A month is counted here as 12 * year + month - 1, so that months can be subtracted.
WITH active AS (
    SELECT DISTINCT customer_id, 12 * year(placed_at) + month(placed_at) - 1 AS month
      FROM silver.orders WHERE status <> 'cancelled' AND customer_id IS NOT NULL
), as_of AS (
    SELECT 12 * year(max(placed_at)) + month(max(placed_at)) - 1 AS month FROM silver.orders
), cohort_of AS (
    SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
), cohorts AS (
    SELECT cohort, count(*) AS customers FROM cohort_of GROUP BY cohort
), months AS (
    SELECT c.cohort, c.customers, explode(sequence(0, a.month - c.cohort)) AS months_since
      FROM cohorts AS c CROSS JOIN as_of AS a
), counted AS (
    SELECT c.cohort, a.month - c.cohort AS months_since, count(*) AS retained
      FROM active AS a JOIN cohort_of AS c ON a.customer_id = c.customer_id
     GROUP BY c.cohort, a.month - c.cohort
)
SELECT make_date(CAST(floor(m.cohort / 12) AS INT), CAST(m.cohort % 12 + 1 AS INT), 1) AS cohort_month, m.months_since,
       m.customers, coalesce(r.retained, 0) AS retained, CAST(coalesce(r.retained, 0) AS DOUBLE) / m.customers AS retention_rate
  FROM months AS m LEFT JOIN counted AS r ON m.cohort = r.cohort AND m.months_since = r.months_since
