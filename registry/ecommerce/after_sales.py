"""Facts of what comes after an order: money that goes back, and goods that do."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import Touched, matching, transformer

from .calendar_keys import date_key
from .versions import changed_spans, in_spans, key_at

_REFUND_MOMENT = "CASE WHEN status = 'paid_out' THEN coalesce(paid_out_at, requested_at) ELSE requested_at END"


def _refund_moments(inputs: Mapping[str, DataFrame]) -> DataFrame:
    return inputs["refunds"].select("order_item_id", F.expr(_REFUND_MOMENT).alias("moment"))


def _return_moments(inputs: Mapping[str, DataFrame]) -> DataFrame:
    returns = inputs["returns"].select("return_id", F.col("returned_at").alias("moment"))
    return inputs["return_items"].join(returns, on="return_id").select("order_item_id", "moment")


def _lines(natural: str, key: str) -> Touched:
    """The order lines whose facts point to another version of ``natural`` than before."""

    def touched(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
        spans = changed_spans(changed, natural, key)
        found = _refund_moments(inputs) if "refunds" in inputs else _return_moments(inputs)
        lines = matching(inputs["items"], spans.select(natural), columns=["order_item_id", natural])
        return in_spans(lines.join(found, on="order_item_id"), spans, natural, "moment")

    return touched


def _lines_of_returns(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The order lines in returns that changed."""
    return matching(inputs["return_items"], changed.select("return_id"), columns=["order_item_id"])


@transformer(
    table="fct_refunds",
    reads={
        "refunds": "silver.refunds",
        "items": "gold.fct_order_items",
        "customers": "gold.dim_customer",
        "products": "gold.dim_product",
    },
    grain=("refund_id",),
    rebuild_by=("order_item_id",),
    narrows={"refunds": "order_item_id", "items": "order_item_id"},
    touched={
        "customers": _lines("customer_id", "customer_key"),
        "products": _lines("product_id", "product_key"),
    },
    columns={
        "refund_id": "The refund.",
        "order_item_id": "The line for which it is.",
        "order_id": "Its order.",
        "refund_date": "Day on which it was paid out; before that, or when refused, on which it was asked for (UTC).",
        "date_key": "That day in dim_date.",
        "customer_key": "The customer as they were then.",
        "product_key": "The product as it was then.",
        "customer_id": "The customer; NULL when deleted.",
        "product_id": "The product.",
        "country": "To which the order went.",
        "status": "requested, paid_out or refused.",
        "amount": "Amount.",
        "counts": "Whether it was paid out, for an order that is not cancelled.",
    },
)
def fct_refunds(refunds: DataFrame, items: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
    """A row for each refund, whatever became of it."""
    moved = refunds.withColumn("moment", F.expr(_REFUND_MOMENT))
    of_lines = items.select("order_item_id", "order_id", "customer_id", "product_id", "country", "is_cancelled")
    joined = moved.join(of_lines, on="order_item_id", how="inner")
    keyed = key_at(joined, customers, "customer_id", "moment", "customer_key")
    keyed = key_at(keyed, products, "product_id", "moment", "product_key")
    day = F.to_date("moment")
    return keyed.select(
        "refund_id",
        "order_item_id",
        "order_id",
        day.alias("refund_date"),
        date_key(day).alias("date_key"),
        "customer_key",
        "product_key",
        "customer_id",
        "product_id",
        "country",
        "status",
        "amount",
        ((F.col("status") == "paid_out") & F.col("paid_out_at").isNotNull() & ~F.col("is_cancelled")).alias("counts"),
    )


@transformer(
    table="fct_returns",
    reads={
        "return_items": "silver.return_items",
        "returns": "silver.returns",
        "items": "gold.fct_order_items",
        "customers": "gold.dim_customer",
        "products": "gold.dim_product",
    },
    grain=("return_item_id",),
    rebuild_by=("order_item_id",),
    narrows={"return_items": "order_item_id", "items": "order_item_id"},
    touched={
        "returns": _lines_of_returns,
        "customers": _lines("customer_id", "customer_key"),
        "products": _lines("product_id", "product_key"),
    },
    columns={
        "return_item_id": "The line of a return.",
        "return_id": "The return.",
        "order_item_id": "The line of the order that comes back.",
        "order_id": "Its order.",
        "return_date": "Day of the return (UTC).",
        "date_key": "That day in dim_date.",
        "customer_key": "The customer as they were then.",
        "product_key": "The product as it was then.",
        "customer_id": "The customer; NULL when deleted.",
        "shipment_id": "The parcel in which it had left.",
        "status": "announced or received.",
        "reason": "Why.",
        "quantity": "Units.",
        "is_cancelled": "Whether the order is cancelled, so that it does not count.",
    },
)
def fct_returns(
    return_items: DataFrame, returns: DataFrame, items: DataFrame, customers: DataFrame, products: DataFrame
) -> DataFrame:
    """A row for each line of each return."""
    of_lines = items.select("order_item_id", "order_id", "customer_id", "product_id", "shipment_id", "is_cancelled")
    of_returns = returns.select("return_id", "status", "reason", F.col("returned_at").alias("moment"))
    joined = return_items.join(of_lines, on="order_item_id", how="inner").join(of_returns, on="return_id", how="inner")
    keyed = key_at(joined, customers, "customer_id", "moment", "customer_key")
    keyed = key_at(keyed, products, "product_id", "moment", "product_key")
    day = F.to_date("moment")
    return keyed.select(
        "return_item_id",
        "return_id",
        "order_item_id",
        "order_id",
        day.alias("return_date"),
        date_key(day).alias("date_key"),
        "customer_key",
        "product_key",
        "customer_id",
        "shipment_id",
        "status",
        "reason",
        "quantity",
        "is_cancelled",
    )
