"""When something of a kind was last said about a subject is answered from the index"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_about"))
        batch_op.create_index("delivery_about", ["about", "kind", "created_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("delivery_about")
        batch_op.create_index(batch_op.f("ix_delivery_about"), ["about"], unique=False)
