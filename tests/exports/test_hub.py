"""The Hugging Face Hub, without a network."""

from pathlib import Path

import pytest
import torch
from small_runs import trained

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.exports import portable
from counterfeit.exports.hub import Generator, push


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained("dcgan, class norm and planes", tmp_path_factory.mktemp("runs"))


def test_saved_and_loaded_it_is_the_same(run, tmp_path) -> None:
    ready = portable(run)
    Generator.of(run).save_pretrained(tmp_path / "once")
    assert "# How good it is" in (tmp_path / "once" / "README.md").read_text()
    loaded = Generator.from_pretrained(tmp_path / "once")
    loaded.save_pretrained(tmp_path / "twice")  # as anybody may who loaded it
    for folder in ("once", "twice"):
        again = Generator.from_pretrained(tmp_path / folder)
        with torch.inference_mode():
            assert torch.equal(again(*ready.inputs), ready.network(*ready.inputs))


def test_all_of_the_folder_is_pushed(run, monkeypatch) -> None:
    seen = {}

    class Repository:
        repo_id = "somebody/digits"

    def create(self, repo_id: str, private: bool, exist_ok: bool) -> Repository:
        seen.update(repo_id=repo_id, private=private)
        return Repository()

    def upload(self, folder_path: Path, **given: object) -> str:
        seen["files"] = {each.name for each in folder_path.iterdir()}
        return ""

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", create)
    monkeypatch.setattr("huggingface_hub.HfApi.upload_folder", upload)
    assert push(run, "somebody/digits", private=True) == "https://huggingface.co/somebody/digits"
    assert seen == {
        "repo_id": "somebody/digits",
        "private": True,
        "files": {"README.md", "config.json", "generator.py", "model.safetensors", "samples.png"},
    }


def test_what_the_hub_refuses_is_said_in_a_line(run, monkeypatch) -> None:
    def refuse(self, **given: object) -> None:
        raise OSError("401 Client Error.\n\nInvalid username or password.")

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", refuse)
    with pytest.raises(CounterfeitError, match="cannot push to a/b: 401 Client Error; `hf auth"):
        push(run, "a/b")
    for name in ("digits", "a/b/c", "a b/c", ""):
        with pytest.raises(UsageError, match="names such as USER/NAME"):
            push(run, name)
