-- As customers are now: without a history of versions.
SELECT customer_id, email, year(birth_date) AS birth_year, signup_ip AS signup_network, country, marketing_opt_in,
       created_at AS customer_since
  FROM silver.customers
UNION ALL
SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL
