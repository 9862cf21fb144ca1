"""What one more day does to the sources: decided here from what they hold, without touching them.

======================  =====================================================================================
table                   changes beside the day's new rows
======================  =====================================================================================
users                   e-mail good to malformed, malformed to good, good to another, good to NULL; other names;
                        deleted
groups                  renamed; deleted
groups_users_user       deleted
activities              another status; deleted
notification_states     the state moves on, and is noted for older notifications; deleted
user_notifications      the state moves on; come late
group_messages,         come late, one or two days; deleted, whatever their age
user_purchases,
user_session_events
======================  =====================================================================================
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from scripts.demo_data.engagement import behaviour, people
from scripts.demo_data.engagement.notices import later_state, moved_on, stamp
from scripts.demo_data.engagement.people import Row

CASSANDRA_DELETES = ("group_messages", "user_purchases", "user_session_events")


@dataclass(frozen=True)
class State:
    """What the sources hold, as far as a day's changes need it.

    Attributes:
        day: the day to play, midnight UTC.
        users: ``id``, ``first_name``, ``last_name`` and ``email`` of all.
        groups: ``id`` and ``name`` of all.
        samples: whole rows of the other tables, in the order of a lottery; of ``user_notifications`` too.
    """

    day: datetime
    users: list[Row]
    groups: list[Row]
    samples: dict[str, list[Row]]


@dataclass(frozen=True)
class Changes:
    """By table: rows to add (in Cassandra, that is also to overwrite), rows to change, keys to delete.

    A row to change has its key and what changes; all of one list have the same columns.
    """

    inserts: dict[str, list[Row]] = field(default_factory=dict)
    updates: dict[str, list[Row]] = field(default_factory=dict)
    deletes: dict[str, list[Row]] = field(default_factory=dict)


def decide(random: Random, state: State) -> Changes:
    """The changes of ``state.day``, about a hundredth of what the sources hold."""
    changes, count = Changes(), len(state.users)
    lottery = random.sample(state.users, count)
    groups = random.sample(state.groups, len(state.groups))
    newcomers = [people.user(random, people.moment(random, state.day)) for _ in range(_share(count, 100))]
    _add_people(random, state, newcomers, changes)
    changes.deletes["users"] = [lottery.pop() for _ in range(_share(count, 500) if count >= 20 else 0)]
    _change_users(random, state.day, lottery, changes)
    if len(groups) >= 20:  # a source that loses a fifth of its groups would be another story
        changes.deletes["groups"] = [groups.pop()]
    changes.updates["groups"] = [
        {"id": group["id"], "name": f"{group['name']} (new)", "updated_at": people.moment(random, state.day)}
        for group in groups[:3]
    ]
    _change_samples(random, state, count, changes)
    _live(random, state, newcomers, changes)
    return changes


def _share(count: int, one_in: int) -> int:
    return max(1, count // one_in)


def _add_people(random: Random, state: State, newcomers: list[Row], changes: Changes) -> None:
    day, users = state.day, state.users + newcomers
    changes.inserts["users"] = newcomers
    changes.inserts["groups"] = [people.group(random, people.moment(random, day))]
    changes.inserts["groups_users_user"] = [
        {"groups_id": random.choice(state.groups)["id"], "users_id": user["id"]} for user in newcomers
    ]
    changes.inserts["activities"] = list(
        people.activities(random, max(3, len(users) // 10), state.groups, users, [day])
    )


def _change_users(random: Random, day: datetime, lottery: list[Row], changes: Changes) -> None:
    """Takes its users from ``lottery``, one for each change."""
    good = [user for user in lottery if user["email"] is not None and _looks_good(user["email"])]
    bad = [user for user in lottery if user["email"] is not None and not _looks_good(user["email"])]
    some = _share(len(good), 200)
    changed = [user | {"email": people.good_email(f"mended-{user['id'].hex[:10]}")} for user in bad[:some]]
    changed += [_with_name(random, user) for user in good[:some]]
    changed += [user | {"email": people.malformed_email(random, user["id"].hex[:10])} for user in good[some : 2 * some]]
    changed += [
        user | {"email": people.good_email(f"moved-{random.getrandbits(32):08x}")} for user in good[2 * some : 4 * some]
    ]
    changed += [user | {"email": None} for user in good[4 * some : 5 * some]]
    changes.updates["users"] = [user | {"updated_at": people.moment(random, day)} for user in changed]


def _with_name(random: Random, user: Row) -> Row:
    first, last = people.names(random)
    return user | {"first_name": first, "last_name": f"{last or ''}-Østby".strip("-")}


def _looks_good(email: str) -> bool:
    """Tells this generator's good addresses from its malformed ones."""
    name, _, domain = email.strip().partition("@")
    return bool(name) and "@" not in domain and domain.lower().endswith(".com")


def _change_samples(random: Random, state: State, count: int, changes: Changes) -> None:
    day = state.day
    memberships, activities = state.samples["groups_users_user"], state.samples["activities"]
    few, some = _share(count, 300), _share(count, 100)
    changes.deletes["groups_users_user"] = memberships[:few]
    changes.deletes["activities"] = activities[:few]
    changes.updates["activities"] = [
        {"id": row["id"], "status": people.other_status(random, row["status"])} for row in activities[few : few + some]
    ]
    noted = state.samples["notification_states"]
    changes.deletes["notification_states"] = noted[:some]
    changes.updates["notification_states"] = [
        {
            "id": row["id"],
            "status": moved_on(random, row["status"]),
            "updated_at": stamp(people.moment(random, day), 500 + number % 250),
        }
        for number, row in enumerate(noted[some : 4 * some])
    ]
    sent = state.samples["user_notifications"]
    changes.inserts["notification_states"] = [
        later_state(random, row, day, 750 + number % 248) for number, row in enumerate(sent[: 2 * some])
    ]
    changes.updates["user_notifications"] = [
        {
            **{name: row[name] for name in ("user_id", "notification_time", "notification_id")},
            "state": moved_on(random, row["state"]),
            "modified_at": people.moment(random, day),
        }
        for row in sent[some : 4 * some]
    ]
    for table in CASSANDRA_DELETES:
        changes.deletes[table] = state.samples[table][: few if table == "user_purchases" else some]


def _live(random: Random, state: State, newcomers: list[Row], changes: Changes) -> None:
    """What users do that day, and what a few did on the two days before and comes late."""
    users = state.users + newcomers
    played = [behaviour.play(random, state.day, users, state.groups)]
    for days in (1, 2):
        few = random.sample(users, min(len(users), _share(len(users), 15)))
        earlier = state.day - timedelta(days=days)
        played.append(behaviour.play(random, earlier, few, state.groups, noted_on=state.day))
        played.append(behaviour.surely(random, earlier, few[0], state.groups, noted_on=state.day))
    for found in played:
        for table, rows in found.tables().items():
            changes.inserts.setdefault(table, []).extend(rows)
