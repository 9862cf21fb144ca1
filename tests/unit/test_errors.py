from lakehouse.errors import suggest


def test_a_suggestion_names_only_what_is_nearly_as_close_as_the_closest() -> None:
    assert suggest("public.coupon", ["public.coupons", "public.groups", "public.users"]) == (
        "Did you mean 'public.coupons'?"
    )
    assert suggest("order", ["orders", "border"]) in (
        "Did you mean 'orders' or 'border'?",
        "Did you mean 'border' or 'orders'?",
    )


def test_without_a_resemblance_what_is_there_is_listed() -> None:
    assert suggest("x", ["users", "groups"]) == "There is: groups, users."
    assert suggest("x", []) == "There is none."
