"""Sales from documents: lines, buyers, and what is known of each buyer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import ends_of, transformer

_ITEMS = "array<struct<product: string, quantity: string, unit_price: string>>"
_MONEY = "decimal(18,2)"


@transformer(
    table="fct_sales",
    reads={"sales": "silver.sales"},
    grain=("sale_id", "line"),
    rebuild_by=("sale_id",),
    narrows={"sales": "sale_id"},
    columns={
        "sale_id": "The sale.",
        "line": "Number of the line in it, from 1.",
        "customer_id": "Who bought; NULL where nobody knows.",
        "product": "What.",
        "quantity": "Units.",
        "unit_price": "Price of a unit.",
        "amount": "Quantity × unit price.",
        "discount": "Discount of the sale, on its first line.",
        "status": "completed, returned or cancelled.",
        "payment_method": "How it was paid.",
        "city": "Of the store.",
        "country": "Of the store.",
        "sold_at": "When (UTC).",
        "sale_date": "That day.",
    },
)
def fct_sales(sales: DataFrame) -> DataFrame:
    """A row for each line of each sale, of both versions of the documents."""
    single = F.array(F.struct("product", F.col("quantity").cast("string"), F.col("unit_price").cast("string")))
    lines = F.coalesce(F.from_json("items", _ITEMS), single.cast(_ITEMS))
    exploded = sales.select("*", F.posexplode(lines).alias("place", "item"))
    quantity, price = F.expr("try_cast(item.quantity AS int)"), F.expr(f"try_cast(item.unit_price AS {_MONEY})")
    return exploded.select(
        "sale_id",
        (F.col("place") + 1).alias("line"),
        "customer_id",
        F.col("item.product").alias("product"),
        quantity.alias("quantity"),
        price.alias("unit_price"),
        (quantity * price).cast(_MONEY).alias("amount"),
        F.when(F.col("place") == 0, F.coalesce("discount", F.lit(0)))
        .otherwise(F.lit(0))
        .cast(_MONEY)
        .alias("discount"),
        "status",
        "payment_method",
        "city",
        "country",
        F.col("sale_timestamp").alias("sold_at"),
        F.to_date("sale_timestamp").alias("sale_date"),
    )


@transformer(
    table="dim_buyer",
    reads={"sales": "silver.sales"},
    grain=("customer_id",),
    columns={
        "customer_id": "The buyer.",
        "contact": "Pseudonym of the address of the newest sale.",
        "city": "Of the store of the newest sale.",
        "country": "The same.",
        "first_sale_at": "First sale that is not cancelled; NULL without one (UTC).",
        "last_sale_at": "Last one.",
    },
)
def dim_buyer(sales: DataFrame) -> DataFrame:
    """A row for each buyer who is known."""
    newest = F.max_by(F.struct("contact_email", "city", "country"), F.struct("sale_timestamp", "sale_id"))
    counts = F.when(F.col("status") != "cancelled", F.col("sale_timestamp"))
    return (
        sales.where(F.col("customer_id").isNotNull())
        .groupBy("customer_id")
        .agg(newest.alias("newest"), F.min(counts).alias("first_sale_at"), F.max(counts).alias("last_sale_at"))
        .select(
            "customer_id",
            F.col("newest.contact_email").alias("contact"),
            "newest.city",
            "newest.country",
            "first_sale_at",
            "last_sale_at",
        )
    )


# Rebuilt whole: the newest sale of all moves each day, and with it how long ago every other one was.
@transformer(
    table="agg_customer_metrics",
    reads={"sales": "gold.fct_sales"},
    grain=("customer_id",),
    columns={
        "customer_id": "The buyer.",
        "orders": "Sales that are not cancelled.",
        "revenue": "Σ amount - discount of completed sales.",
        "avg_order_value": "revenue / completed sales; NULL without one.",
        "first_sale_at": "First sale that is not cancelled (UTC).",
        "last_sale_at": "Last one.",
        "days_since_last_sale": "Day of the newest sale of all - day of the last one.",
        "distinct_products": "Different products in sales that are not cancelled.",
        "return_share": "Returned sales / completed and returned ones.",
        "favourite_payment_method": "The one of most sales that are not cancelled; of equals the first by name; NULL without.",
    },
)
def agg_customer_metrics(sales: DataFrame) -> DataFrame:
    """A row for each buyer with a sale that is not cancelled."""
    newest = F.to_date(F.lit(ends_of(sales, "sold_at")[1]).cast("timestamp"))
    lines = sales.where("customer_id IS NOT NULL AND status <> 'cancelled'")
    by_sale = lines.groupBy("customer_id", "sale_id", "status", "payment_method", "sold_at").agg(
        F.sum(F.col("amount") - F.col("discount")).alias("paid")
    )
    methods = (
        by_sale.where("payment_method IS NOT NULL")
        .groupBy("customer_id", "payment_method")
        .agg(F.count(F.lit(1)).alias("n"))
    )
    favourite = methods.groupBy("customer_id").agg(
        F.min(F.struct((-F.col("n")).alias("rank"), "payment_method"))["payment_method"].alias(
            "favourite_payment_method"
        )
    )
    products = lines.groupBy("customer_id").agg(F.count_distinct("product").alias("distinct_products"))
    completed, returned = (F.count_if(F.col("status") == status) for status in ("completed", "returned"))
    revenue = F.sum(F.when(F.col("status") == "completed", F.col("paid")).otherwise(0)).cast(_MONEY)
    totals = by_sale.groupBy("customer_id").agg(
        F.count(F.lit(1)).alias("orders"),
        revenue.alias("revenue"),
        (revenue / F.nullif(completed, F.lit(0))).cast(_MONEY).alias("avg_order_value"),
        F.min("sold_at").alias("first_sale_at"),
        F.max("sold_at").alias("last_sale_at"),
        F.datediff(newest, F.to_date(F.max("sold_at"))).alias("days_since_last_sale"),
        (returned / (completed + returned)).alias("return_share"),
    )
    return (
        totals.join(products, on="customer_id")
        .join(favourite, on="customer_id", how="left")
        .select(
            "customer_id", "orders", "revenue", "avg_order_value", "first_sale_at", "last_sale_at", "days_since_last_sale",
            "distinct_products", "return_share", "favourite_payment_method",
        )
    )  # fmt: skip
