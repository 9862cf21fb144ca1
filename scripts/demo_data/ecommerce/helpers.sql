-- What loading and playing share. The functions live as long as the connection; the shop keeps none of them.
-- `draw` is the only chance there is: the same seed, stream and id give the same number in [0, 1).
CREATE OR REPLACE FUNCTION pg_temp.draw(stream text, id bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(id, hashtextextended(stream, %(seed)s::bigint)) & 4503599627370495)
          / 4503599627370496::double precision $$;

CREATE OR REPLACE FUNCTION pg_temp.pick(options text[], chance double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT options[1 + floor(chance * cardinality(options))::int] $$;

-- A whole number from `low` to `high`, both included.
CREATE OR REPLACE FUNCTION pg_temp.between(low int, high int, chance double precision) RETURNS int
LANGUAGE sql IMMUTABLE AS $$ SELECT low + floor(chance * (high - low + 1))::int $$;

CREATE OR REPLACE FUNCTION pg_temp.country(chance double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN chance < 0.30 THEN 'DE' WHEN chance < 0.48 THEN 'FR' WHEN chance < 0.62 THEN 'GB'
               WHEN chance < 0.72 THEN 'NL' WHEN chance < 0.82 THEN 'ES' WHEN chance < 0.90 THEN 'IT'
               WHEN chance < 0.96 THEN 'SE' ELSE 'PL' END $$;

CREATE OR REPLACE FUNCTION pg_temp.city(country text, chance double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT pg_temp.pick(CASE country
    WHEN 'DE' THEN '{Berlin,Hamburg,Köln,Leipzig,München,Bremen}'::text[]
    WHEN 'FR' THEN '{Paris,Lyon,Nantes,Lille,Toulouse}' WHEN 'GB' THEN '{London,Leeds,Bristol,Glasgow}'
    WHEN 'NL' THEN '{Utrecht,Rotterdam,Groningen}' WHEN 'ES' THEN '{Madrid,Sevilla,"A Coruña",Bilbao}'
    WHEN 'IT' THEN '{Roma,Torino,Napoli,Bologna}' WHEN 'SE' THEN '{Stockholm,Göteborg,Malmö}'
    ELSE '{Kraków,Gdańsk,Poznań}' END, chance) $$;

CREATE OR REPLACE FUNCTION pg_temp.tax_rate(country text) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE country WHEN 'DE' THEN 0.19 WHEN 'FR' THEN 0.20 WHEN 'GB' THEN 0.20 WHEN 'NL' THEN 0.21
                       WHEN 'ES' THEN 0.21 WHEN 'IT' THEN 0.22 WHEN 'SE' THEN 0.25 ELSE 0.23 END $$;

CREATE OR REPLACE FUNCTION pg_temp.method(chance double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT pg_temp.pick('{card,card,card,card,wallet,wallet,transfer,invoice}', chance) $$;

CREATE OR REPLACE FUNCTION pg_temp.reason(chance double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT pg_temp.pick('{"does not fit","does not fit",damaged,"changed mind","changed mind","wrong item",late}', chance) $$;

-- Seconds to an interval: what most delays are drawn as.
CREATE OR REPLACE FUNCTION pg_temp.hours(count double precision) RETURNS interval LANGUAGE sql IMMUTABLE AS
$$ SELECT count * interval '1 hour' $$;

-- How many lines an order has, and how many pieces a line.
CREATE OR REPLACE FUNCTION pg_temp.lines(chance double precision) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 + width_bucket(chance, '{0.34,0.60,0.78,0.88,0.95,0.98}'::double precision[]) $$;
CREATE OR REPLACE FUNCTION pg_temp.pieces(chance double precision) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 + width_bucket(chance, '{0.76,0.92,0.97,0.99}'::double precision[]) $$;
