"""ONNX Runtime Web: whence it comes, and what is said where it does not."""

from pathlib import Path

import pytest

from counterfeit.data.sources import Source
from counterfeit.errors import CounterfeitError
from counterfeit.exports.explorer import runtime


def test_without_the_registry_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(folder: Path) -> None:
        raise OSError("cannot be reached")

    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path))
    offline = Source("npm", "install npm", fetch)
    monkeypatch.setattr(
        runtime, "RUNTIME", runtime.Published(runtime.RUNTIME.checksums, (offline,))
    )
    with pytest.raises(CounterfeitError, match="cannot get onnxruntime-web") as refused:
        runtime.runtime()
    assert "\n" not in str(refused.value)
    assert refused.value.__notes__[-1] == "npm: cannot be reached; install npm."


def test_a_module_becomes_a_classic_script() -> None:
    module = 'var a=1,b=import.meta.url;function c(){}export{a as Tensor,c as default,b as "env"};'
    script = runtime._as_classic(module.replace('"env"', "env"))
    assert "import.meta" not in script
    assert script.endswith("const ort={Tensor:a,default:c,env:b};\n")
