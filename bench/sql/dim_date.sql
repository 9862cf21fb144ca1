WITH span AS (
    SELECT CAST(date_trunc('year', min(placed_at)) AS DATE) AS low, CAST(date_trunc('year', max(placed_at)) AS DATE) AS high
      FROM silver.orders
), bounds AS (
    SELECT make_date(year(low) - 1, 1, 1) AS first, make_date(year(high) + 1, 12, 31) AS last FROM span
), numbers AS (
    SELECT first, explode(sequence(0, datediff(last, first))) AS n FROM bounds
), days AS (
    SELECT first + n AS date FROM numbers
)
SELECT CAST(10000 * year(date) + 100 * month(date) + day(date) AS INT) AS date_key, date, year(date) AS year,
       quarter(date) AS quarter, month(date) AS month, CAST(date_trunc('month', date) AS DATE) AS month_start,
       CAST(date_trunc('week', date) AS DATE) AS week_start,
       datediff(date, CAST(date_trunc('week', date) AS DATE)) + 1 AS day_of_week,
       datediff(date, CAST(date_trunc('week', date) AS DATE)) >= 5 AS is_weekend
  FROM days
UNION ALL
SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
