import pytest
import torch
from torch import nn

from spiral.agents.heads import AutoregressiveHeads, choose, joint_log_prob, part_entropies
from spiral.agents.networks import QuickMix

PARTS = {"flag": 2, "end": 3, "size": 4}


class OneHot(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, indices):
        return torch.eye(self.n)[indices]


@pytest.fixture
def heads():
    torch.manual_seed(0)
    return AutoregressiveHeads(
        tuple(PARTS),
        logits={part: nn.Linear(8, n) for part, n in PARTS.items()},
        mixes={part: QuickMix(8, n) for part, n in list(PARTS.items())[:-1]},
        features={part: OneHot(n) for part, n in PARTS.items()},
    )


def all_actions():
    return torch.cartesian_prod(*(torch.arange(n) for n in PARTS.values()))


def one_state(count, seed=1):
    return torch.randn(1, 8, generator=torch.Generator().manual_seed(seed)).expand(count, -1)


def joint_probabilities(heads):
    actions = all_actions()
    _, logits = heads(one_state(len(actions)), actions)
    return joint_log_prob(logits, actions, torch.ones_like(actions, dtype=torch.bool)).exp()


def test_the_probabilities_of_all_joint_actions_sum_to_one(heads):
    assert joint_probabilities(heads).sum().item() == pytest.approx(1, abs=1e-6)


def test_the_joint_log_prob_is_the_product_of_the_chain(heads):
    actions = torch.tensor([[1, 2, 3]])
    state = one_state(1)
    expected = 1.0
    for part, choice in zip(PARTS, actions[0].tolist(), strict=True):
        expected *= heads.logits[part](state).softmax(-1)[0, choice].item()
        if part in heads.mixes:
            state = heads.mixes[part](state, torch.eye(PARTS[part])[[choice]])
    _, logits = heads(one_state(1), actions)
    log_prob = joint_log_prob(logits, actions, torch.ones(1, 3, dtype=torch.bool))
    assert log_prob.exp().item() == pytest.approx(expected, rel=1e-5)


def test_a_part_depends_on_those_before_it_and_on_no_later_one(heads):
    one, other_flag, other_size = torch.tensor([[0, 1, 2]]), torch.tensor([[1, 1, 2]]), torch.tensor([[0, 1, 3]])
    logits = {
        name: heads(one_state(1), action)[1]
        for name, action in {"one": one, "flag": other_flag, "size": other_size}.items()
    }
    assert torch.equal(logits["one"][0], logits["flag"][0])
    assert not torch.allclose(logits["one"][1], logits["flag"][1], atol=1e-3)
    assert not torch.allclose(logits["one"][2], logits["flag"][2], atol=1e-3)
    for before, after in zip(logits["one"], logits["size"], strict=True):
        assert torch.equal(before, after)


def test_following_the_sampled_actions_gives_the_logits_they_were_sampled_from(heads):
    actions, sampling = heads(one_state(50), generator=torch.Generator().manual_seed(2))
    followed, training = heads(one_state(50), actions)
    assert torch.equal(followed, actions)
    for a, b in zip(sampling, training, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_sampling_again_instead_of_following_gives_another_log_prob(heads):
    """What happens without teacher forcing: the test above would notice."""
    everything = torch.ones(50, 3, dtype=torch.bool)
    actions, sampling = heads(one_state(50), generator=torch.Generator().manual_seed(2))
    _, resampled = heads(one_state(50), generator=torch.Generator().manual_seed(3))
    wrong, right = (joint_log_prob(logits, actions, everything) for logits in (resampled, sampling))
    assert (wrong - right).abs().max() > 0.01


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64])
def test_actions_of_any_integer_type_are_followed(heads, dtype):
    actions, logits = heads(one_state(24), all_actions().to(dtype))
    assert actions.dtype == torch.int64
    assert torch.equal(actions, all_actions())
    assert [part.shape for part in logits] == [(24, n) for n in PARTS.values()]


def test_greedy_takes_the_most_probable_part_each_time(heads):
    actions, logits = heads(torch.randn(20, 8, generator=torch.Generator().manual_seed(4)), greedy=True)
    for index, part in enumerate(logits):
        assert torch.equal(actions[:, index], part.argmax(-1))


def test_the_same_generator_seed_gives_the_same_sample(heads):
    one, same, other = (heads(one_state(50), generator=torch.Generator().manual_seed(seed))[0] for seed in (5, 5, 6))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def chi_square(counts, expected):
    return ((counts - expected) ** 2 / expected).sum().item()


def test_choices_are_as_frequent_as_they_are_probable():
    logits, count = torch.tensor([0.0, 1.0, -1.5, 2.0]).log_softmax(-1), 20_000
    chosen = choose(logits.expand(count, -1), torch.Generator().manual_seed(0), greedy=False)
    counts = torch.bincount(chosen, minlength=4)
    assert chi_square(counts, count * logits.softmax(-1)) < 16.3  # 0.999 quantile at 3 degrees of freedom
    assert chi_square(counts, count * (1.2 * logits).softmax(-1)) > 16.3, "the test has the power to reject"


def test_joint_actions_are_as_frequent_as_they_are_probable(heads):
    count = 20_000
    sampled, _ = heads(one_state(count), generator=torch.Generator().manual_seed(0))
    index = (sampled * torch.tensor([12, 4, 1])).sum(-1)  # the row of all_actions()
    counts = torch.bincount(index, minlength=24)
    assert chi_square(counts, count * joint_probabilities(heads)) < 49.7  # 0.999 quantile at 23 degrees of freedom


def test_a_masked_part_counts_nothing():
    logits = [torch.randn(5, n, generator=torch.Generator().manual_seed(n)).log_softmax(-1) for n in PARTS.values()]
    actions = all_actions()[3:8]
    mask = torch.tensor([True, False, True]).expand(5, -1)
    expected = logits[0].gather(1, actions[:, :1]) + logits[2].gather(1, actions[:, 2:])
    assert torch.allclose(joint_log_prob(logits, actions, mask), expected.squeeze(1))
    entropies = part_entropies(logits, mask)
    assert (entropies[:, 1] == 0).all()
    assert (entropies[:, [0, 2]] > 0).all()


def test_log_probs_and_entropies_keep_every_leading_dimension():
    logits = [torch.zeros(2, 3, n).log_softmax(-1) for n in PARTS.values()]
    actions, masks = torch.zeros(2, 3, 3, dtype=torch.int16), torch.ones(2, 3, 3, dtype=torch.bool)
    uniform = torch.tensor(list(PARTS.values())).log()
    assert torch.allclose(joint_log_prob(logits, actions, masks), -uniform.sum().expand(2, 3))
    assert torch.allclose(part_entropies(logits, masks), uniform.expand(2, 3, 3))


def test_the_expected_sum_of_part_entropies_is_the_joint_entropy(heads):
    actions, probabilities = all_actions(), joint_probabilities(heads)
    _, logits = heads(one_state(len(actions)), actions)
    summed = part_entropies(logits, torch.ones_like(actions, dtype=torch.bool)).sum(-1)
    exact = -(probabilities * probabilities.log()).sum()
    assert (probabilities * summed).sum().item() == pytest.approx(exact.item(), abs=1e-5)
    assert summed.std() > 1e-3, "single actions differ from it: the parts really depend on each other"
