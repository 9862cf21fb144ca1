-- The role that the lakehouse reads with: it may read every table, and see which transactions are open.
\getenv password APP_PG_PASSWORD
CREATE ROLE lakehouse LOGIN PASSWORD :'password';
GRANT pg_read_all_data, pg_read_all_stats TO lakehouse;
