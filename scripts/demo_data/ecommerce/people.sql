-- Words of which people are made. None is a word of any language, so that one that is found in a file of the lake came
-- from here: products, categories, cities, suppliers and warehouses have others.
CREATE OR REPLACE FUNCTION pg_temp.first_name(front double precision, back double precision) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT
    pg_temp.pick('{Zørb,Quíx,Vexañ,Brønj,Ñamq,Thryx,Oszw,Kvæl,Jyßm,Wuqo,Xandq,Yfzo,Plüxk,Gwÿn,Dzév,Uqla}', front)
 || pg_temp.pick('{elixa,ovrin,yndra,abquo,uzette,imvok,erzhal,oquin,ixanne,ulfzon,azwick,enquë}', back) $$;

CREATE OR REPLACE FUNCTION pg_temp.last_name(front double precision, back double precision) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT
    pg_temp.pick('{O''Qz,D''Vrø,Mczw,Fjyrx,Grüzv,Skwañ,Blyxt,Hvozd,Trøzk,Pfæqu,Szyb,Vlørq,Njuxk,Rhyzz,Cvoqu,Eßkw}', front)
 || pg_temp.pick('{imbrosz,andqvist,olveckx,urzhaim,ezzoñi,aquorre,ynskov,ibbelzw,ottraxx,unqaard,ewzicke,ørnqual}', back) $$;

CREATE OR REPLACE FUNCTION pg_temp.street(front double precision, back double precision, house double precision)
RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT
    pg_temp.pick('{Glymmøq,Trevqu,Oxwyld,Brazzu,Kñurl,Vyqsto,Dwølzh,Fluxqu,Hjarzq,Pøzwik,Sqúanb,Wrexqu}', front)
 || pg_temp.pick('{azhgate,uvelstraße,onquay,ixwegg,erzlaan,obrüqk,umqvej,arzzlane}', back)
 || ' ' || pg_temp.between(1, 240, house)::text $$;

-- Unique by the number; some in capitals or mixed, as people type them.
CREATE OR REPLACE FUNCTION pg_temp.email(first_name text, last_name text, id bigint, chance double precision)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    plain text := translate(first_name || '.' || last_name, 'øñßíéæüÿúë''', 'onsieauyue') || '.' || id
        || '@' || (ARRAY['example.com', 'example.org', 'example.net'])[1 + id %% 3];
BEGIN
    RETURN CASE WHEN chance < 0.06 THEN upper(plain) WHEN chance < 0.25 THEN plain ELSE lower(plain) END;
END $$;

-- In the formats that people type; NULL for some.
CREATE OR REPLACE FUNCTION pg_temp.phone(country text, digits double precision, style double precision) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    code text := CASE country WHEN 'DE' THEN '49' WHEN 'FR' THEN '33' WHEN 'GB' THEN '44' WHEN 'NL' THEN '31'
                              WHEN 'ES' THEN '34' WHEN 'IT' THEN '39' WHEN 'SE' THEN '46' ELSE '48' END;
    number text := (100000000 + floor(digits * 900000000))::bigint::text;
BEGIN
    RETURN CASE WHEN style < 0.12 THEN NULL
                WHEN style < 0.35 THEN '+' || code || number
                WHEN style < 0.60 THEN '+' || code || ' ' || substr(number, 1, 3) || ' ' || substr(number, 4)
                WHEN style < 0.75 THEN '0' || substr(number, 1, 3) || '-' || substr(number, 4)
                WHEN style < 0.90 THEN '(0' || substr(number, 1, 3) || ') ' || substr(number, 4, 3) || ' ' || substr(number, 7)
                ELSE '00' || code || '/' || number END;
END $$;

-- Sixteen digits, with blanks or without; NULL for some.
CREATE OR REPLACE FUNCTION pg_temp.card(front double precision, back double precision, style double precision)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    digits text := (40000000 + floor(front * 20000000))::bigint || lpad(floor(back * 100000000)::bigint::text, 8, '0');
BEGIN
    RETURN CASE WHEN style < 0.15 THEN NULL WHEN style < 0.55 THEN digits
                ELSE substr(digits, 1, 4) || ' ' || substr(digits, 5, 4) || ' ' || substr(digits, 9, 4) || ' ' || substr(digits, 13)
           END;
END $$;

-- A host: IPv4, a fifth IPv6; NULL for some. 2001:db8:: is kept for examples.
CREATE OR REPLACE FUNCTION pg_temp.host(address double precision, style double precision) RETURNS inet
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN style < 0.05 THEN NULL
    WHEN style < 0.24 THEN inet '2001:db8::' + (1 + floor(address * 4e18))::bigint
    ELSE inet '77.0.0.1' + floor(address * 2e8)::bigint END $$;
