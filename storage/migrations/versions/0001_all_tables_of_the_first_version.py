"""All tables of the first version"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("who", sqltypes.AutoString(), nullable=False),
        sa.Column("what", sqltypes.AutoString(), nullable=False),
        sa.Column("about", sqltypes.AutoString(), nullable=False),
        sa.Column("via", sqltypes.AutoString(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("hash", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("seq"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_about"), ["about"], unique=False)
        batch_op.create_index("audit_who", ["who", "at"], unique=False)

    op.create_table(
        "chat_group",
        sa.Column("group_id", sqltypes.AutoString(), nullable=False),
        sa.Column("platform", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation_id", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("group_id"),
        sa.UniqueConstraint("platform", "conversation_id"),
    )
    with op.batch_alter_table("chat_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_group_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "check_item",
        sa.Column("meeting", sqltypes.AutoString(), nullable=False),
        sa.Column("site_id", sqltypes.AutoString(), nullable=False),
        sa.Column("step", sqltypes.AutoString(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("asked_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("answered_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("answered_by", sqltypes.AutoString(), nullable=True),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("fault", sqltypes.AutoString(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("meeting", "site_id", "step"),
    )
    op.create_table(
        "console_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("console_message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_console_message_conversation"), ["conversation"], unique=False)

    op.create_table(
        "console_seen",
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "conversation"),
    )
    op.create_table(
        "counter",
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dedupe_key", sqltypes.AutoString(), nullable=False),
        sa.Column("platform", sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sqltypes.AutoString(), nullable=True),
        sa.Column("bundle", sqltypes.AutoString(), nullable=False),
        sa.Column("about", sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("renderer", sqltypes.AutoString(), nullable=False),
        sa.Column("render_args", sa.JSON(), nullable=False),
        sa.Column("hints", sa.JSON(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("resend", sa.Boolean(), nullable=False),
        sa.Column("not_before", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("tried_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("turned", sa.Boolean(), nullable=False),
        sa.Column("lease_owner", sqltypes.AutoString(), nullable=False),
        sa.Column("lease_until", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("provider_id", sqltypes.AutoString(), nullable=False),
        sa.Column("error", sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sent_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("read_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("receipt_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dedupe_key"),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("delivery_later", ["not_before", "platform", "state"], unique=False)
        batch_op.create_index("delivery_lease", ["platform", "state", "lease_until"], unique=False)
        batch_op.create_index("delivery_order", ["address", "state", "about", "id"], unique=False)
        batch_op.create_index("delivery_pace", ["address", "sent_at"], unique=False)
        batch_op.create_index("delivery_provider", ["platform", "provider_id"], unique=False)
        batch_op.create_index("delivery_queue", ["platform", "state", "urgency", "id"], unique=False)
        batch_op.create_index("delivery_receipt", ["platform", "receipt_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_about"), ["about"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_bundle"), ["bundle"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_person_id"), ["person_id"], unique=False)

    op.create_table(
        "expectation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("about", sqltypes.AutoString(), nullable=False),
        sa.Column("step", sqltypes.AutoString(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("pending", sa.JSON(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("asked_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("expectation", schema=None) as batch_op:
        batch_op.create_index("expectation_of", ["person_id", "state"], unique=False)

    op.create_table(
        "fault",
        sa.Column("number", sqltypes.AutoString(), nullable=False),
        sa.Column("level", sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("site_id", sqltypes.AutoString(), nullable=True),
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("room", sqltypes.AutoString(), nullable=False),
        sa.Column("device", sqltypes.AutoString(), nullable=False),
        sa.Column("symptom", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("meeting", sqltypes.AutoString(), nullable=False),
        sa.Column("step", sqltypes.AutoString(), nullable=False),
        sa.Column("reporter", sqltypes.AutoString(), nullable=True),
        sa.Column("reporters", sa.JSON(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("conversations", sa.JSON(), nullable=False),
        sa.Column("owner", sqltypes.AutoString(), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("acked_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("resolved_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("closed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fault_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_fault_reporter"), ["reporter"], unique=False)
        batch_op.create_index(batch_op.f("ix_fault_site_id"), ["site_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fault_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_fault_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "fetch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("platform", sqltypes.AutoString(), nullable=False),
        sa.Column("sender", sqltypes.AutoString(), nullable=False),
        sa.Column("ref", sqltypes.AutoString(), nullable=False),
        sa.Column("attachment", sa.JSON(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sha256", sqltypes.AutoString(), nullable=False),
        sa.Column("error", sqltypes.AutoString(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("fetch", schema=None) as batch_op:
        batch_op.create_index("fetch_due", ["state", "not_before"], unique=False)
        batch_op.create_index(batch_op.f("ix_fetch_ref"), ["ref"], unique=False)

    op.create_table(
        "identity",
        sa.Column("platform", sqltypes.AutoString(), nullable=False),
        sa.Column("account", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "account"),
    )
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_person_id"), ["person_id"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("platform", sqltypes.AutoString(), nullable=False),
        sa.Column("account", sqltypes.AutoString(), nullable=False),
        sa.Column("message_id", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("error", sqltypes.AutoString(), nullable=False),
        sa.Column("written_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("received_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("platform", "account", "message_id"),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("inbox_conversation", ["state", "conversation", "id"], unique=False)
        batch_op.create_index("inbox_retry", ["state", "retry_at"], unique=False)
        batch_op.create_index("inbox_waiting", ["state", "id"], unique=False)

    op.create_table(
        "last_reading",
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("readings", sa.JSON(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "conversation"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("owner", sqltypes.AutoString(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox", sqltypes.AutoString(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sqltypes.AutoString(), nullable=False),
        sa.Column("arrived_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("stored_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mailbox", "uidvalidity", "uid"),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index("letter_state", ["state", "id"], unique=False)

    op.create_table(
        "mailbox_place",
        sa.Column("mailbox", sqltypes.AutoString(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox"),
    )
    op.create_table(
        "meeting",
        sa.Column("number", sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqltypes.AutoString(), nullable=False),
        sa.Column("systems", sa.JSON(), nullable=False),
        sa.Column("starts_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ends_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("arrive_before_s", sa.Float(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("site_ids", sa.JSON(), nullable=False),
        sa.Column("scope_text", sqltypes.AutoString(), nullable=False),
        sa.Column("host_unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("basis", sqltypes.AutoString(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("created_by", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("published_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_starts_at"), ["starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_state"), ["state"], unique=False)

    op.create_table(
        "notice",
        sa.Column("meeting", sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("published_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("published_by", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation", sqltypes.AutoString(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("unit_ids", sa.JSON(), nullable=False),
        sa.Column("done_units", sa.Integer(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("meeting", "version"),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_state"), ["state"], unique=False)

    op.create_table(
        "obligation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("site_id", sqltypes.AutoString(), nullable=True),
        sa.Column("person_ids", sa.JSON(), nullable=False),
        sa.Column("meeting", sqltypes.AutoString(), nullable=False),
        sa.Column("fault", sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("met_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("met_by", sqltypes.AutoString(), nullable=True),
        sa.Column("met_via", sqltypes.AutoString(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("next_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("ladder", sa.JSON(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("alarmed", sa.JSON(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("opened_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("closed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_obligation_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_obligation_unit_id"), ["unit_id"], unique=False)
        batch_op.create_index("obligation_about", ["meeting", "fault", "kind"], unique=False)
        batch_op.create_index("obligation_at_site", ["site_id", "kind"], unique=False)
        batch_op.create_index("obligation_of_fault", ["fault"], unique=False)
        batch_op.create_index("obligation_due", ["next_at"], unique=False)

    op.create_table(
        "person",
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqltypes.AutoString(), nullable=False),
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("phone", sqltypes.AutoString(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "shift",
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sqltypes.AutoString(), nullable=False),
        sa.Column("duty", sqltypes.AutoString(), nullable=False),
        sa.Column("starts_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ends_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "person_id", "duty", "starts_at"),
    )
    op.create_table(
        "sighting",
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("platform", sqltypes.AutoString(), nullable=False),
        sa.Column("account", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("last_seen", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "platform", "account"),
    )
    op.create_table(
        "site",
        sa.Column("site_id", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("systems", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("site_id"),
    )
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "stored_file",
        sa.Column("sha256", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sqltypes.AutoString(), nullable=False),
        sa.Column("stored_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "timer",
        sa.Column("key", sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("about", sqltypes.AutoString(), nullable=False),
        sa.Column("due_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_timer_due_at"), ["due_at"], unique=False)

    op.create_table(
        "unit",
        sa.Column("unit_id", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("tier", sqltypes.AutoString(), nullable=False),
        sa.Column("parent_id", sqltypes.AutoString(), nullable=True),
        sa.Column("track", sqltypes.AutoString(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id"),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "word_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("site_id", sqltypes.AutoString(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("proposed_by", sqltypes.AutoString(), nullable=False),
        sa.Column("proposed_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("decided_by", sqltypes.AutoString(), nullable=False),
        sa.Column("decided_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("word_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_word_proposal_state"), ["state"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("word_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_word_proposal_state"))

    op.drop_table("word_proposal")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_parent_id"))

    op.drop_table("unit")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timer_due_at"))

    op.drop_table("timer")
    op.drop_table("stored_file")
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_unit_id"))

    op.drop_table("site")
    op.drop_table("sighting")
    op.drop_table("shift")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_unit_id"))

    op.drop_table("person")
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.drop_index("obligation_due")
        batch_op.drop_index("obligation_of_fault")
        batch_op.drop_index("obligation_at_site")
        batch_op.drop_index("obligation_about")
        batch_op.drop_index(batch_op.f("ix_obligation_unit_id"))
        batch_op.drop_index(batch_op.f("ix_obligation_state"))

    op.drop_table("obligation")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_state"))

    op.drop_table("notice")
    with op.batch_alter_table("meeting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_meeting_state"))
        batch_op.drop_index(batch_op.f("ix_meeting_starts_at"))

    op.drop_table("meeting")
    op.drop_table("mailbox_place")
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_index("letter_state")

    op.drop_table("letter")
    op.drop_table("lease")
    op.drop_table("last_reading")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index("inbox_waiting")
        batch_op.drop_index("inbox_retry")
        batch_op.drop_index("inbox_conversation")

    op.drop_table("inbox")
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_person_id"))

    op.drop_table("identity")
    with op.batch_alter_table("fetch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fetch_ref"))
        batch_op.drop_index("fetch_due")

    op.drop_table("fetch")
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fault_unit_id"))
        batch_op.drop_index(batch_op.f("ix_fault_state"))
        batch_op.drop_index(batch_op.f("ix_fault_site_id"))
        batch_op.drop_index(batch_op.f("ix_fault_reporter"))
        batch_op.drop_index(batch_op.f("ix_fault_created_at"))

    op.drop_table("fault")
    with op.batch_alter_table("expectation", schema=None) as batch_op:
        batch_op.drop_index("expectation_of")

    op.drop_table("expectation")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_person_id"))
        batch_op.drop_index(batch_op.f("ix_delivery_bundle"))
        batch_op.drop_index(batch_op.f("ix_delivery_about"))
        batch_op.drop_index("delivery_receipt")
        batch_op.drop_index("delivery_queue")
        batch_op.drop_index("delivery_provider")
        batch_op.drop_index("delivery_pace")
        batch_op.drop_index("delivery_order")
        batch_op.drop_index("delivery_lease")
        batch_op.drop_index("delivery_later")

    op.drop_table("delivery")
    op.drop_table("counter")
    op.drop_table("console_seen")
    with op.batch_alter_table("console_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_console_message_conversation"))

    op.drop_table("console_message")
    op.drop_table("check_item")
    with op.batch_alter_table("chat_group", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_group_unit_id"))

    op.drop_table("chat_group")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("audit_who")
        batch_op.drop_index(batch_op.f("ix_audit_about"))

    op.drop_table("audit")
