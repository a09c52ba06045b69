"""应到 = 已确认 + 未确认, in total and by tier, whatever the answers."""

from hypothesis import given
from hypothesis import strategies as st

from storage.directory import TIERS
from workflows.notice_tally import Share, by_tier, count

SHARES = st.lists(
    st.builds(Share, st.text(min_size=1, max_size=4), st.sampled_from([*TIERS, ""]), st.booleans()), max_size=60
)


@given(SHARES)
def test_tiers_add_up_to_the_whole(shares: list[Share]) -> None:
    total, tiers = count(shares), by_tier(shares)
    assert total.expected == len(shares) == sum(one.expected for one in tiers.values())
    assert total.answered == sum(one.answered for one in tiers.values())
    assert total.silent == sum(one.silent for one in tiers.values())
    assert all(0 <= one.answered <= one.expected and one.expected for one in tiers.values())


@given(SHARES, st.integers(0, 59))
def test_one_answer_moves_one_from_silent_to_answered(shares: list[Share], at: int) -> None:
    if at >= len(shares) or shares[at].answered:
        return
    later = [*shares[:at], Share(shares[at].unit_id, shares[at].tier, True), *shares[at + 1 :]]
    before, after = count(shares), count(later)
    assert (after.expected, after.answered, after.silent) == (before.expected, before.answered + 1, before.silent - 1)


def test_tiers_are_told_from_the_top() -> None:
    shares = [Share("T", "township", True), Share("C", "city", False), Share("X", "county", True)]
    assert list(by_tier(shares)) == ["city", "county", "township"]
