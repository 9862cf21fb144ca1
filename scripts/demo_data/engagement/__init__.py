"""Source data of the domain `engagement`: an application's PostgreSQL and Cassandra, with the mess that real ones have.

A seed and a scale decide every value. At scale 1: 3,000 users and 120 groups over thirty days.

What is wrong, on purpose, and how often (a test counts each):

=======================  =======================================================  ==========================
where                    what                                                     share
=======================  =======================================================  ==========================
users.email              NULL                                                     2 % of the users
users.email              malformed, the empty text included                       3 %
users.email              upper case with blanks around (harmless)                 2 %
users names              blanks around, upper case (harmless); last name NULL     2 %; 1 %
users.created_at         before 1970                                              0.1 % (at least one)
activities.scheduled_at  text in three formats, a third each                      all
activities.scheduled_at  before 1970; in 2199 or 9999; NULL; unreadable           1 %; 1 %; 0.5 %; 0.5 %
activities, memberships  of users that do not exist                               1 %
user_purchases.amount    negative; zero; above 1,000,000; NULL                    1 %; 0.5 %; 0.5 %; 0.5 %
user_purchases.currency  unknown (XXX), empty, lower case or NULL                 1.5 %
user_purchases           product_type NULL                                        a sixth
user_session_events      sent again some milliseconds later, in the same session  3 %
user_session_events      sessions over midnight; of one event; left open for two  4 %; 2 %; 0.1 % (at least
                         days (not in the last days)                              one)
Cassandra tables         what users do that do not exist                          1 %
Cassandra tables         rows written out of order                                all
group_messages           user_id NULL; content NULL                               0.3 %; 0.3 %
user_notifications       content NULL; state NULL                                 0.5 %; 2 %
user_notifications       state and modified_at NULL (first thirty days only)      1 %
notification_states      no row for a notification; another state than            a tenth; about a third
                         Cassandra's
notification_states      of notifications that do not exist; status NULL          0.5 %; 0.5 %
all texts                Unicode, quotes, newlines, tabs, backslashes             many
=======================  =======================================================  ==========================

A day that is played later adds rows of every kind, rows of the two days before that come late, changes, and deletes
at the source (see `changes`). Nothing but the end of a session over midnight is stamped later than the day it was
made for; the two clocks of a notification's state never show the same microsecond.
"""
