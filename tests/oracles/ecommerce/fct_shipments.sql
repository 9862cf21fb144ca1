SELECT shipment_id, order_id, shipping_cost, delivered_at FROM shop.shipments ORDER BY shipment_id
