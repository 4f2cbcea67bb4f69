import pytest

from counterfeit.insight.detectors import DETECTORS
from counterfeit.insight.report.words import EVIDENCE, breakable, coded, shortened, worded


@pytest.mark.parametrize("name", DETECTORS)
def test_all_evidence_of_a_detector_is_explained(name: str) -> None:
    assert set(DETECTORS[name].evidence) <= set(EVIDENCE)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a lower --set generator.optimizer.lr, or", "--set generator.optimizer.lr"),
        ("use --set loss.name=non-saturating, whose", "--set loss.name=non-saturating"),
        ("with --set training.dropout=0.3.", "--set training.dropout=0.3"),
        ("first: --set generator.optimizer.lr=...", "--set generator.optimizer.lr=..."),
        ("(counterfeit evaluate does)", "counterfeit evaluate"),
        ("`counterfeit data <NAME>` <b>", "counterfeit data &lt;NAME&gt;"),
    ],
)
def test_commands_in_text_are_code(text: str, code: str) -> None:
    assert f"<code>{code}</code>" in coded(text)
    assert "<b>" not in coded(text)


def test_a_metric_is_named_in_words() -> None:
    assert worded("fid_mnist-v1-77eed34d_test_10k") == (
        "FID (10,000 samples, test images, MNIST classifier)"
    )
    assert worded("share_3_mnist-v1-77eed34d_1k").startswith("share of class 3 (1,000 samples")
    assert worded("images per second") == "images per second"


def test_hashes_are_short_and_keys_break_at_dots() -> None:
    assert shortened(f"SHA-256 {'0123456789abcdef' * 4}, 12345678") == "SHA-256 01234567…, 12345678"
    assert shortened("0.31622776601683794") == "0.31622776601683794"
    assert breakable("a.b_c <d>. e") == "a.<wbr>b_<wbr>c &lt;d&gt;. e"
