"""The source schemas of the domain `engagement`, as an application would have made them."""

POSTGRES = """
CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY, first_name text, last_name text, email text, password text,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS groups (
    id uuid PRIMARY KEY, name text, description text, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS groups_users_user (
    groups_id uuid, users_id uuid, PRIMARY KEY (groups_id, users_id));
CREATE TABLE IF NOT EXISTS activities (
    id uuid PRIMARY KEY, group_id uuid, user_id uuid, activity_type text, title text, description text, location text,
    scheduled_at text, status text, created_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS notification_states (
    id uuid PRIMARY KEY, user_id uuid, notification_id uuid, status text, updated_at timestamptz);
CREATE INDEX IF NOT EXISTS users_updated_at ON users (updated_at);
CREATE INDEX IF NOT EXISTS notification_states_updated_at ON notification_states (updated_at);
"""

CASSANDRA = (
    "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}",
    """CREATE TABLE IF NOT EXISTS {keyspace}.group_messages (group_id uuid, created_at timestamp, message_id uuid,
       user_id uuid, content text, PRIMARY KEY ((group_id), created_at, message_id))""",
    """CREATE TABLE IF NOT EXISTS {keyspace}.user_notifications (user_id uuid, notification_time timestamp,
       notification_id uuid, content text, state text, modified_at timestamp,
       PRIMARY KEY ((user_id), notification_time, notification_id))""",
    """CREATE TABLE IF NOT EXISTS {keyspace}.user_purchases (user_id uuid, purchase_time timestamp, purchase_id uuid,
       product_type text, amount decimal, currency text, PRIMARY KEY ((user_id), purchase_time, purchase_id))""",
    """CREATE TABLE IF NOT EXISTS {keyspace}.user_session_events (user_id uuid, event_time timestamp, session_id uuid,
       event_type text, PRIMARY KEY ((user_id), event_time, session_id))""",
)

#: The primary key of each PostgreSQL table.
POSTGRES_KEYS = {
    "users": ("id",),
    "groups": ("id",),
    "groups_users_user": ("groups_id", "users_id"),
    "activities": ("id",),
    "notification_states": ("id",),
}
#: The primary key of each Cassandra table, partition key first.
CASSANDRA_KEYS = {
    "group_messages": ("group_id", "created_at", "message_id"),
    "user_notifications": ("user_id", "notification_time", "notification_id"),
    "user_purchases": ("user_id", "purchase_time", "purchase_id"),
    "user_session_events": ("user_id", "event_time", "session_id"),
}
