-- Returns and refunds. Most of what is sent back is refunded; some is refunded without being sent back.
CREATE TEMP TABLE complaints ON COMMIT DROP AS
SELECT order_id, items, chance, greatest(delivered_at, second_delivered_at) AS arrived_at,
       items_before + 1 + floor(items * pg_temp.draw('complaint', order_id))::bigint AS order_item_id,
       items_before + items AS last_item_id
FROM (SELECT *, pg_temp.draw('complains', number) AS chance FROM fates WHERE status = 'delivered' OFFSET 0) AS delivered
WHERE chance < 0.08;

CREATE TEMP TABLE sent_back ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY returned_at, order_id) AS return_id, order_id, order_item_id, last_item_id, returned_at,
       CASE WHEN received_at < '2026-11-01 00:00+00' THEN received_at END AS received_at
FROM (SELECT *, returned_at + pg_temp.hours(30 + 160 * pg_temp.draw('received', order_id)) AS received_at
      FROM (SELECT *, arrived_at + pg_temp.hours(8 + 320 * pg_temp.draw('returned', order_id)) AS returned_at
            FROM complaints WHERE chance < 0.062 OFFSET 0) AS announced) AS dated
WHERE returned_at < '2026-11-01 00:00+00';

INSERT INTO returns
SELECT return_id, order_id, CASE WHEN received_at IS NULL THEN 'announced' ELSE 'received' END,
       pg_temp.reason(pg_temp.draw('reason', order_id)), returned_at, returned_at, coalesce(received_at, returned_at)
FROM sent_back ORDER BY return_id;

-- Of one in three, the line after it is sent back, too.
INSERT INTO return_items
SELECT row_number() OVER (ORDER BY return_id, item.order_item_id), return_id, item.order_item_id,
       pg_temp.between(1, item.quantity, pg_temp.draw('pieces back', item.order_item_id)), returned_at
FROM sent_back JOIN order_items AS item ON item.order_item_id BETWEEN sent_back.order_item_id
    AND least(last_item_id, sent_back.order_item_id + (pg_temp.draw('both back', return_id) < 0.33)::int)
ORDER BY return_id, item.order_item_id;

INSERT INTO refunds
SELECT row_number() OVER (ORDER BY asked.requested_at, asked.order_id), payment_id, order_item_id,
       CASE WHEN decided_at >= '2026-11-01 00:00+00' THEN 'requested' WHEN refused THEN 'refused' ELSE 'paid_out' END,
       least(paid, round((quantity * unit_price - discount) * share::numeric, 2)), asked.requested_at,
       CASE WHEN decided_at < '2026-11-01 00:00+00' AND NOT refused THEN decided_at END, asked.requested_at,
       CASE WHEN decided_at < '2026-11-01 00:00+00' THEN decided_at ELSE asked.requested_at END
FROM (
    SELECT complaints.order_id, order_item_id, requested_at, pg_temp.draw('refused', complaints.order_id) < 0.1 AS refused,
           requested_at + pg_temp.hours(20 + 200 * pg_temp.draw('decided', complaints.order_id)) AS decided_at,
           CASE WHEN pg_temp.draw('in full', complaints.order_id) < 0.65 THEN 1
                ELSE 0.1 + 0.7 * pg_temp.draw('share', complaints.order_id) END AS share
    FROM complaints CROSS JOIN LATERAL (
        SELECT arrived_at + pg_temp.hours(9 + 400 * pg_temp.draw('requested', complaints.order_id)) AS requested_at OFFSET 0) AS dated
    WHERE chance >= 0.025 AND requested_at < '2026-11-01 00:00+00'
) AS asked
JOIN order_items USING (order_item_id)
JOIN (SELECT DISTINCT ON (order_id) payment_id, order_id, amount AS paid
      FROM payments WHERE status = 'paid' AND order_id IN (SELECT order_id FROM complaints)
      ORDER BY order_id, payment_id DESC) AS last_payment ON last_payment.order_id = asked.order_id
ORDER BY asked.requested_at, asked.order_id;
