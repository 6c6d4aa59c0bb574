import pytest
import torch

from spiral.agents.rewards import RewardScale, difference_rewards, final_rewards


def scale_of(mean, std, gap=0.0, floor=0.0):
    scale = RewardScale(floor)
    scale.set_state({"mean": mean, "std": std, "gap": gap})
    return scale


def test_the_final_reward_is_the_score_in_units_of_the_scale_and_comes_last():
    rewards = final_rewards(torch.tensor([5.0, 1.0]), 3, scale_of(mean=3.0, std=2.0))
    assert torch.allclose(rewards, torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]), atol=1e-5)


def test_each_difference_is_what_one_action_gained():
    scores = torch.tensor([[1.0, 2.0, 5.0, 4.0], [0.0, 0.0, -2.0, 0.0]])
    rewards = difference_rewards(scores, scale_of(mean=100.0, std=2.0))
    assert torch.allclose(rewards, torch.tensor([[0.5, 1.5, -0.5], [0.0, -1.0, 1.0]]), atol=1e-5)


def test_differences_telescope_to_the_final_score_less_the_first():
    scores = torch.randn(6, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scale = scale_of(mean=-1.0, std=0.3)
    total = difference_rewards(scores, scale).sum(dim=1)
    last, first = (final_rewards(scores[:, t], 8, scale).double().sum(dim=1) for t in (-1, 0))
    assert torch.allclose(total, last - first, atol=1e-5)


def test_equal_scores_are_worth_nothing_rather_than_infinity():
    scale = RewardScale(floor=0.0)
    scores = torch.full((4,), 7.0)
    scale.update(scores, gap=1.0)
    assert torch.equal(final_rewards(scores, 2, scale), torch.zeros(4, 2))
    assert torch.equal(difference_rewards(scores[:, None].expand(-1, 3), scale), torch.zeros(4, 2))


def test_the_scale_is_that_of_the_first_scores_then_follows_slowly():
    scale = RewardScale(floor=0.0)
    scale.update(torch.tensor([1.0, 3.0]), gap=0.0)
    assert (scale.mean, scale.std) == (2.0, 1.0)
    scale.update(torch.tensor([10.0, 16.0]), gap=0.0)
    assert scale.mean == pytest.approx(0.9 * 2 + 0.1 * 13)
    assert scale.std == pytest.approx(0.95 * 1 + 0.05 * 3)
    scale.update(torch.tensor([0.0, 0.0]), gap=0.0)
    assert scale.mean == pytest.approx(0.9 * 3.1)
    assert scale.std == pytest.approx(0.95 * 1.1)


def test_rewards_of_scores_on_their_own_scale_are_standardised_whatever_the_unit():
    scores = torch.randn(500, generator=torch.Generator().manual_seed(0))
    for unit, offset in [(1.0, 0.0), (40.0, -300.0)]:
        scale = RewardScale(floor=0.1)
        scale.update(unit * scores + offset, gap=unit)
        last = final_rewards(unit * scores + offset, 4, scale)[:, -1]
        assert last.mean().item() == pytest.approx(0, abs=1e-4)
        assert last.std(correction=0).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("gap, unit", [(4.0, 0.5), (-40.0, 4.0), (40.0, 4.0), (0.0, 0.5)])
def test_the_unit_is_never_less_than_a_share_of_the_newest_gap(gap, unit):
    scale = RewardScale(floor=0.1)
    scale.update(torch.tensor([1.0, 2.0]), gap=1000.0)
    scale.update(torch.tensor([1.0, 2.0]), gap=gap)
    assert scale.unit == pytest.approx(unit, abs=1e-5)
    assert final_rewards(torch.tensor([2.0]), 1, scale).item() == pytest.approx(0.5 / unit, abs=1e-4)
    assert difference_rewards(torch.tensor([[1.0, 2.0]]), scale).item() == pytest.approx(1 / unit, abs=1e-4)


def test_a_restored_scale_goes_on_as_the_first_would():
    first, restored = RewardScale(floor=0.1), RewardScale(floor=0.1)
    first.update(torch.tensor([1.0, 5.0]), gap=60.0)
    restored.set_state(first.get_state())
    assert restored.unit == first.unit == pytest.approx(6)
    for scale in (first, restored):
        scale.update(torch.tensor([5.0, 6.0]), gap=3.0)
    assert restored.get_state() == first.get_state()


def test_a_new_scale_has_seen_nothing():
    restored = scale_of(1.0, 1.0)
    restored.set_state(RewardScale(floor=0.0).get_state())
    restored.update(torch.tensor([4.0, 8.0]), gap=0.0)
    assert (restored.mean, restored.std) == (6.0, 2.0)
