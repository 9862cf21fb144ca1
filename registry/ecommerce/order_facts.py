"""Facts of orders: their lines and their payments."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import matching, transformer

from .calendar_keys import date_key, money
from .versions import changed_spans, in_spans, key_at


def _orders_of_customers(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The orders that point to another version of their customer than before."""
    spans = changed_spans(changed, "customer_id", "customer_key")
    orders = matching(inputs["orders"], spans.select("customer_id"), columns=["order_id", "customer_id", "placed_at"])
    return in_spans(orders, spans, "customer_id", "placed_at")


def _orders_of_products(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The orders with a line that points to another version of its product than before."""
    spans = changed_spans(changed, "product_id", "product_key")
    lines = matching(inputs["items"], spans.select("product_id"), columns=["order_id", "product_id"])
    orders = matching(inputs["orders"], lines.select("order_id"), columns=["order_id", "placed_at"])
    return in_spans(lines.join(orders, on="order_id"), spans, "product_id", "placed_at")


@transformer(
    table="fct_order_items",
    reads={
        "items": "silver.order_items",
        "orders": "silver.orders",
        "customers": "gold.dim_customer",
        "products": "gold.dim_product",
    },
    grain=("order_item_id",),
    partition_by=("months(order_date)",),
    rebuild_by=("order_id",),
    narrows={"items": "order_id", "orders": "order_id"},
    touched={"customers": _orders_of_customers, "products": _orders_of_products},
    columns={
        "order_item_id": "The line.",
        "order_id": "Its order.",
        "order_date": "Day on which the order was placed (UTC).",
        "date_key": "That day in dim_date.",
        "placed_at": "When the order was placed.",
        "customer_key": "The customer as they were then.",
        "product_key": "The product as it was then.",
        "customer_id": "The customer; NULL when deleted.",
        "product_id": "The product.",
        "shipment_id": "The parcel in which it left; NULL before.",
        "country": "To which it goes.",
        "status": "Of the order.",
        "is_cancelled": "Whether the order is cancelled, so that it does not count.",
        "quantity": "Units.",
        "unit_price": "Price of a unit.",
        "discount": "Of the whole line.",
        "gmv": "Quantity × unit price.",
        "cost": "Quantity × unit cost.",
    },
)
def fct_order_items(items: DataFrame, orders: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
    """A row for each line of each order, cancelled ones included."""
    of_orders = orders.select("order_id", "customer_id", "country", "status", "placed_at")
    lines = items.join(of_orders, on="order_id", how="inner")
    keyed = key_at(lines, customers, "customer_id", "placed_at", "customer_key")
    keyed = key_at(keyed, products, "product_id", "placed_at", "product_key")
    order_date = F.to_date("placed_at")
    return keyed.select(
        "order_item_id",
        "order_id",
        order_date.alias("order_date"),
        date_key(order_date).alias("date_key"),
        "placed_at",
        "customer_key",
        "product_key",
        "customer_id",
        "product_id",
        "shipment_id",
        "country",
        "status",
        (F.col("status") == "cancelled").alias("is_cancelled"),
        "quantity",
        "unit_price",
        "discount",
        money(F.col("quantity") * F.col("unit_price")).alias("gmv"),
        money(F.col("quantity") * F.col("unit_cost")).alias("cost"),
    )


def _orders_of_payers(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The orders with a payment that points to another version of its customer than before."""
    spans = changed_spans(changed, "customer_id", "customer_key")
    orders = matching(inputs["orders"], spans.select("customer_id"), columns=["order_id", "customer_id"])
    payments = matching(inputs["payments"], orders.select("order_id"))
    paid = payments.join(F.broadcast(orders), on="order_id").withColumn("moment", F.expr(_PAYMENT_MOMENT))
    return in_spans(paid, spans, "customer_id", "moment")


_PAYMENT_MOMENT = "coalesce(paid_at, created_at)"


@transformer(
    table="fct_payments",
    reads={"payments": "silver.payments", "orders": "silver.orders", "customers": "gold.dim_customer"},
    grain=("payment_id",),
    partition_by=("months(payment_date)",),
    rebuild_by=("order_id",),
    narrows={"payments": "order_id", "orders": "order_id"},
    touched={"customers": _orders_of_payers},
    columns={
        "payment_id": "The payment.",
        "order_id": "What it is for.",
        "payment_date": "Day of payment; before that, the day on which it was asked for (UTC).",
        "date_key": "That day in dim_date.",
        "customer_key": "The customer as they were then.",
        "method": "Card, invoice and so on.",
        "status": "pending, paid, failed or voided.",
        "amount": "Amount.",
    },
)
def fct_payments(payments: DataFrame, orders: DataFrame, customers: DataFrame) -> DataFrame:
    """A row for each payment, whatever became of it."""
    of_orders = payments.join(orders.select("order_id", "customer_id"), on="order_id", how="inner")
    moved = of_orders.withColumn("moment", F.expr(_PAYMENT_MOMENT))
    day = F.to_date("moment")
    return key_at(moved, customers, "customer_id", "moment", "customer_key").select(
        "payment_id",
        "order_id",
        day.alias("payment_date"),
        date_key(day).alias("date_key"),
        "customer_key",
        "method",
        "status",
        "amount",
    )
