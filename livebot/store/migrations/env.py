"""What alembic runs: the steps on the connection it is given, without a word to any log.

`store.migrating` gives the connection, inside of a transaction and a lock.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    version_table="livebot_version",
)
context.run_migrations()
