"""The grammar of codes and networks, and its error messages."""

import numpy as np
import pytest

from infogan_jax.errors import UserError
from infogan_jax.model import notation
from infogan_jax.model.latents import Code
from infogan_jax.model.layers import Layer


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ()),
        (" , ", ()),
        ("categorical(10)", (Code("categorical_0", "categorical", 10, 1.0),)),
        ("uniform @ 0.1", (Code("uniform_0", "uniform", 1, 0.1),)),
        ("gaussian@0", (Code("gaussian_0", "gaussian", 1, 0.0),)),
        ("uniform @ 1e-3", (Code("uniform_0", "uniform", 1, 0.001),)),
        (
            "2x uniform",
            (Code("uniform_0", "uniform"), Code("uniform_1", "uniform")),
        ),
        (
            "  3  x  categorical(20)@2 ",
            tuple(Code(f"categorical_{i}", "categorical", 20, 2.0) for i in range(3)),
        ),
        ("digit = categorical(10)", (Code("digit", "categorical", 10),)),
        (
            "2 x style=gaussian @ 0.5",
            (Code("style_0", "gaussian", 1, 0.5), Code("style_1", "gaussian", 1, 0.5)),
        ),
        ("1 x style=uniform", (Code("style", "uniform"),)),
        (
            "d=categorical(3), s=categorical(2) @ 0.3 in d, 2 x uniform in s",
            (
                Code("d", "categorical", 3),
                Code("s", "categorical", 2, 0.3, "d"),
                Code("uniform_0", "uniform", parent="s"),
                Code("uniform_1", "uniform", parent="s"),
            ),
        ),
    ],
)
def test_codes_are_parsed_with_count_name_kind_size_and_lambda(text, codes):
    assert notation.parse_codes(text) == codes


@pytest.mark.parametrize(
    "text",
    ["conv 64 s2 lrelu, upconv 3 sigmoid", "fc 7x7x128 bn relu, fc 10", "fc 4 bn"],
)
def test_a_layer_as_text_is_read_as_the_same_layer(text):
    layers = notation.parse_layers(text, "layers")
    assert ", ".join(map(notation.as_text, layers)) == text


def in_words(code):
    """A code in the notation, with all that it may have."""
    size = f"({code.size})" if code.is_categorical else ""
    within = f" in {code.parent}" if code.parent else ""
    return f"{code.name}={code.kind}{size} @ {code.weight!r}{within}"


@pytest.mark.parametrize("seed", range(5))
def test_codes_that_are_written_down_are_read_again(seed):
    rng = np.random.default_rng(seed)
    codes: list[Code] = []
    for place in range(8):
        kind = str(rng.choice(["categorical", "uniform", "gaussian"]))
        size = int(rng.integers(2, 20)) if kind == "categorical" else 1
        able = ["", *(code.name for code in codes if code.is_categorical)]
        parent = str(rng.choice(able))
        codes.append(Code(f"c{place}", kind, size, float(rng.random()), parent))
    assert notation.parse_codes(", ".join(map(in_words, codes))) == tuple(codes)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("style=categorical(3) in digit", "put one before 'style', such as"),
        ("u=uniform, style=categorical(3) in u", "put one before 'style', such as"),
        ("digit=categorical(10), style=uniform in digits", "write one of digit there"),
        ("a=categorical(2) in b, b=categorical(2)", "put one before 'a', such as"),
        ("a=categorical(2) in b, b=categorical(2) in a", "put one before 'a', such as"),
        ("a=categorical(2), b=categorical(2) in b", "write one of a there"),
    ],
    ids=["unknown", "not categorical", "misspelt", "later", "cycle", "itself"],
)
def test_a_parent_that_is_no_earlier_categorical_code_is_named(text, advice):
    message = rf"config\.latents\.codes: '\w+' is in '\w+', which must .*{advice}"
    with pytest.raises(UserError, match=message):
        notation.parse_codes(text)


@pytest.mark.parametrize("part", ["uniform in", "uniform in d @ 1", "uniform in a b"])
def test_a_parent_is_the_last_word_of_a_code(part):
    with pytest.raises(UserError, match=r"cannot read .*\[ in PARENT\]"):
        notation.parse_codes(f"d=categorical(3), {part}")


def test_codes_of_one_kind_are_counted_across_parts_and_keep_their_order():
    codes = notation.parse_codes("uniform, categorical(2), 2 x uniform, categorical(3)")
    assert [code.name for code in codes] == [
        "uniform_0",
        "categorical_0",
        "uniform_1",
        "uniform_2",
        "categorical_1",
    ]
    assert [code.size for code in codes] == [1, 2, 1, 1, 3]


@pytest.mark.parametrize(
    "part",
    [
        "normal",
        "Uniform",
        "uniform 0.1",
        "uniform @",
        "-1 x uniform",
        "two x uniform",
        "2 uniform",
        "categorical(ten)",
        "categorical(-3)",
        "a b=uniform",
        "=uniform",
    ],
)
def test_the_message_about_a_wrong_code_shows_it_and_the_grammar(part):
    with pytest.raises(UserError, match=r"^config\.latents\.codes: cannot read ") as e:
        notation.parse_codes(f"uniform, {part}")
    assert repr(part) in str(e.value)
    assert "KIND of categorical, uniform, gaussian" in str(e.value)


@pytest.mark.parametrize("part", ["0 x uniform", f"categorical({'9' * 5000})"])
def test_a_count_of_zero_and_a_huge_size_are_refused(part):
    with pytest.raises(UserError, match=r"^config\.latents\.codes: cannot read "):
        notation.parse_codes(part)


@pytest.mark.parametrize("part", ["categorical", "uniform(3)", "gaussian(1)"])
def test_only_a_categorical_code_has_a_size(part):
    with pytest.raises(UserError, match="a categorical code needs a size") as e:
        notation.parse_codes(part)
    assert f"_0' is {part};" in str(e.value)


@pytest.mark.parametrize("size", [0, 1])
def test_a_categorical_code_has_at_least_two_categories(size):
    message = rf"'c' has {size} categories; it must have at least 2\.$"
    with pytest.raises(UserError, match=message):
        notation.parse_codes(f"c=categorical({size})")


@pytest.mark.parametrize("weight", ["-0.1", "nan", "inf", "-inf", "big"])
def test_a_lambda_is_a_finite_number_of_at_least_zero(weight):
    with pytest.raises(UserError, match="must be a finite number of at least 0"):
        notation.parse_codes(f"uniform @ {weight}")


def test_the_message_about_a_lambda_names_the_code_and_shows_the_value():
    with pytest.raises(UserError, match=r"^here: the lambda of 'uniform_0' \(=-2\)"):
        notation.parse_codes("uniform @ -2", "here")


@pytest.mark.parametrize(
    ("text", "name"),
    [("a=uniform, a=gaussian", "a"), ("uniform_0=gaussian, uniform", "uniform_0")],
)
def test_two_codes_of_the_same_name_are_refused(text, name):
    with pytest.raises(UserError, match=f"the name '{name}' is used 2 times"):
        notation.parse_codes(text)


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("", ()),
        ("fc 7", (Layer("fc", (7,)),)),
        ("conv 64 s2 lrelu", (Layer("conv", (64,), 2, False, "lrelu"),)),
        ("upconv 8 bn", (Layer("upconv", (8,), 1, True, ""),)),
        (
            " fc  7x7x128 bn relu ,upconv 1 s2 sigmoid",
            (
                Layer("fc", (7, 7, 128), 1, True, "relu"),
                Layer("upconv", (1,), 2, False, "sigmoid"),
            ),
        ),
        ("upconv 3 s4 tanh", (Layer("upconv", (3,), 4, False, "tanh"),)),
    ],
)
def test_layers_are_parsed_with_shape_stride_norm_and_activation(text, layers):
    assert notation.parse_layers(text, "f") == layers


@pytest.mark.parametrize(
    "part",
    ["dense 8", "conv", "conv 8 s0", "conv 8 s5", "conv 8 relu bn", "fc 2x2", "fc 8 x"],
)
def test_the_message_about_a_wrong_layer_shows_it_and_the_grammar(part):
    with pytest.raises(UserError, match="^net: cannot read .*KIND SHAPE") as e:
        notation.parse_layers(f"fc 3, {part}", "net")
    assert repr(part) in str(e.value)


@pytest.mark.parametrize("part", ["fc 0", "conv 0 s2", "fc 2x0x8", "conv 2x2x8"])
def test_a_layer_of_impossible_shape_is_refused(part):
    with pytest.raises(UserError, match=f"^net: '{part}' has an impossible shape"):
        notation.parse_layers(part, "net")


def test_a_stride_on_a_fully_connected_layer_is_refused():
    with pytest.raises(UserError, match="^net: 'fc 64 s2' has a stride; fc has none"):
        notation.parse_layers("fc 64 s2", "net")


@pytest.mark.parametrize(
    ("text", "shape", "result"),
    [
        ("", (5, 6, 7), (5, 6, 7)),
        ("conv 64 s2, conv 128 s2, fc 1024", (28, 28, 1), (1024,)),
        ("conv 64 s2, conv 128 s2", (28, 28, 1), (7, 7, 128)),
        ("conv 4 s2", (7, 5, 1), (4, 3, 4)),
        ("conv 4", (7, 5, 1), (7, 5, 4)),
        ("fc 1024, fc 7x7x128, upconv 64 s2, upconv 1 s2", (), (28, 28, 1)),
        ("fc 8x8x256, upconv 9, upconv 1 s3", (), (24, 24, 1)),
        ("fc 2x3x4", (1000,), (2, 3, 4)),
    ],
)
def test_follow_gives_the_shape_of_same_padded_layers(text, shape, result):
    assert notation.follow(notation.parse_layers(text, "f"), shape, "f") == result


@pytest.mark.parametrize("text", ["conv 9 s2", "fc 8, conv 9", "fc 8, upconv 9"])
def test_a_convolution_cannot_follow_a_vector(text):
    with pytest.raises(UserError, match=r"^f: '(up)?conv 9' follows a vector; put"):
        notation.follow(notation.parse_layers(text, "f"), (), "f")


@pytest.mark.parametrize("last", ["sigmoid", "tanh"])
def test_a_generator_of_the_right_shape_and_range_passes(last):
    layers = notation.parse_layers(f"fc 2x4x8 bn relu, upconv 3 s2 {last}", "g")
    notation.check_generator(layers, (4, 8, 3), "g")


@pytest.mark.parametrize("text", ["", "fc 4x4x1", "fc 4x4x1 relu", "fc 4x4x1 bn lrelu"])
def test_a_generator_without_a_range_is_refused(text):
    with pytest.raises(UserError, match=r"^g must end in sigmoid .* or tanh"):
        notation.check_generator(notation.parse_layers(text, "g"), (4, 4, 1), "g")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("fc 4x4x3 tanh", "4 x 4 x 3"),
        ("fc 4x5x1 tanh", "4 x 5 x 1"),
        ("fc 16 tanh", 16),
    ],
)
def test_a_generator_of_another_shape_than_the_data_is_refused(text, made):
    message = f"^g makes images of {made}, but the data has 4 x 4 x 1; change"
    with pytest.raises(UserError, match=message):
        notation.check_generator(notation.parse_layers(text, "g"), (4, 4, 1), "g")
