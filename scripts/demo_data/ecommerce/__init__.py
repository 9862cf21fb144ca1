"""Source data of the domain `ecommerce`: a shop's PostgreSQL, eighteen months of trade that end on 31 October 2026.

A seed and a scale decide every value; it is made inside PostgreSQL, where a draw is a hash of seed, stream and id. At
scale 1 (customers and what they do grow with the scale, products and suppliers with its root):

====================  ===============  =============================================================================
table                 rows             what is in it
====================  ===============  =============================================================================
categories            40               a tree of three levels; products hang on inner nodes, too
suppliers             40               lead times of 3 to 45 days
warehouses, carriers  4, 5             carriers promise 2 to 5 days
products              500              few sell much; a tenth is launched in the course of the history
promotions            30               one after another; the last goes on in the days that are played
customers             10,000           a fifth before the first day; names that are words of no language; phone, birth
                                       date, card and IP NULL for some; e-mails in capitals for some
addresses             12,500           a quarter has a second one, some of them abroad
orders                100,000          more at weekends and before Christmas; customers keep to rhythms, and leave some time;
                                       4 % cancelled; those of the last days still on their way
order_items           247,000          one to seven lines, three in four by the customer's tastes; a discount with a promotion
                                       only
payments              109,000          5 % at the second attempt, 4 % in two parts; voided for cancelled orders
shipments             108,000          a fifth of orders with several lines in two parcels; 12 % come late
refunds               5,200            5 % of the orders; a tenth refused; the last ones still requested
returns               5,900            6 % of the delivered orders; the last ones still announced
return_items          6,800            a line or two of each return
inventory_movements   278,000          receipts every 15 to 45 days, a sale for each item sent, returns, corrections
                                       (half of them entered late); some levels fall below zero for a while
stock_levels          2,000            the sums of the movements
====================  ===============  =============================================================================

Tastes, rhythms and leaving are in no column: see `habits.sql`, and docs/ecommerce.md for what there is to learn.

A day that is played later (see `trading_day`) brings new customers and orders, moves on what is under way, and does what
makes history change: prices, categories, addresses, corrections of days that are past, orders that are entered late, rows
that are deleted. How much of it follows from the day's number of orders, not from the size of the shop. All is stamped
within the day.
"""
