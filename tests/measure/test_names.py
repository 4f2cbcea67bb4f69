"""Names of metrics, put together and taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit.measure.names import MetricName, like, named

METRICS = st.from_regex(r"[a-z]+(_[a-z0-9]+){0,3}", fullmatch=True).filter(
    lambda metric: metric.rpartition("_")[2] not in ("test", "validation")
)
NAMES = st.builds(
    MetricName,
    METRICS,
    st.none() | st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){1,4}", fullmatch=True),
    st.sampled_from([None, "test", "validation"]),
    st.integers(min_value=1, max_value=10_000_000),
)


@given(NAMES)
def test_a_name_is_what_it_was_made_of(name: MetricName) -> None:
    assert MetricName.parse(str(name)) == name


@given(st.text() | st.from_regex(r"[a-z_]*(_test)?_[0-9]+k?", fullmatch=True))
def test_any_text_is_some_name_and_stays_what_it_is(text: str) -> None:
    assert str(MetricName.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fid_mnist-v1-0a_test_10k", MetricName("fid", "mnist-v1-0a", "test", 10_000)),
        ("classes_found_mnist-v1-0a_200", MetricName("classes_found", "mnist-v1-0a", None, 200)),
        ("share_3_my-own-data-v1-0a_1k", MetricName("share_3", "my-own-data-v1-0a", None, 1000)),
        ("nearest_ratio_validation_1k", MetricName("nearest_ratio", None, "validation", 1000)),
        ("parzen_sigma_10500", MetricName("parzen_sigma", None, None, 10_500)),
        ("d_accuracy_held_out_test_5k", MetricName("d_accuracy_held_out", None, "test", 5000)),
        ("parzen_10000", MetricName("parzen_10000")),  # it would be written 10k
        ("", MetricName("")),
    ],
)
def test_known_names(text: str, name: MetricName) -> None:
    assert MetricName.parse(text) == name
    assert str(name) == text


def test_a_share_knows_its_class() -> None:
    assert MetricName.parse("share_12_mnist-v1-0a_10k").of_class == 12
    assert MetricName.parse("shares_12_10k").of_class is None


def test_a_metric_is_found_by_its_whole_name_and_features() -> None:
    names = ["parzen_sigma_1k", "parzen_test_1k", "fid_a-1_test_1k", "fid_b-1_test_1k"]
    assert named("parzen", names) == "parzen_test_1k"
    assert named("fid", names) == "fid_a-1_test_1k"
    assert named("fid", names, "b-1") == "fid_b-1_test_1k"
    assert named("kid", names) is None


def test_a_ceiling_is_of_the_same_protocol_or_of_the_most_images_below_it() -> None:
    real = ["fid_a-1_test_200", "fid_a-1_test_1k", "fid_a-1_validation_10k", "kid_a-1_test_1k"]
    assert like("fid_a-1_test_200", real) == "fid_a-1_test_200"
    assert like("fid_a-1_test_10k", real) == "fid_a-1_test_1k"
    assert like("fid_b-1_test_10k", real) is None
    assert like("fid", ["fid"]) == "fid"


@pytest.mark.parametrize(
    ("features", "kind", "reader"),
    [
        ("mnist-v1-77eed34d", "classifier", "MNIST classifier"),
        ("two-views-v1-0123abcd", "classifier", "Two views classifier"),
        ("two-views-rotnet-v1-0123abcd", "rotnet", "Two views RotNet"),
        ("photos-v2-rotnet-v1-0123abcd", "rotnet", "Photos v2 RotNet"),
        ("inception-v3-6726825d", "inception", "Inception"),
        (None, None, ""),
    ],
)
def test_what_read_the_images_is_told_from_its_name(
    features: str | None, kind: str | None, reader: str
) -> None:
    """Whatever the data are called: a name may look like a version itself."""
    name = MetricName("fid", features, "test", 100)
    assert (name.kind, name.reader) == (kind, reader)
