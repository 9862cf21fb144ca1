-- description: Every day from 2020 to 2039, to join with and to group by.
-- grain: [date]
-- columns:
--   date: The day.
--   week: The Monday of its week.
--   month: The first day of its month.
--   is_weekend: Whether it is a Saturday or a Sunday.
SELECT date,
       CAST(date_trunc('week', date) AS date) AS week,
       CAST(date_trunc('month', date) AS date) AS month,
       weekday(date) >= 5 AS is_weekend
  FROM (SELECT explode(sequence(date'2020-01-01', date'2039-12-31', interval 1 day)) AS date) AS days
