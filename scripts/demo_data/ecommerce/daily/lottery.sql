-- Numbers from `low` to `high` in the order of a lottery, none twice: rows are drawn by their ids, not by reading tables.
CREATE OR REPLACE FUNCTION pg_temp.lottery(stream text, low bigint, high bigint, tickets int)
RETURNS TABLE (ticket bigint, id bigint) LANGUAGE sql STABLE AS
$$ SELECT min(number), drawn
   FROM (SELECT number, low + floor(pg_temp.draw(stream, number) * greatest(1, high - low + 1))::bigint AS drawn
         FROM generate_series(1, tickets) AS number) AS draws
   GROUP BY drawn $$;
