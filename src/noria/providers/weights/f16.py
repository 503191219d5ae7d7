"""The same weights with 16-bit numbers, made once on this machine.

Quantised weights are computed with 8-bit activations, which moves log-probabilities; adapters, training and
exact scoring want F16. Nothing is gained in quality: the numbers are those of the quantised file.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from noria.errors import MissingExtra, StateError

SUFFIX = ".F16.gguf"


def export_f16(path: Path) -> Path:
    """The F16 file beside the GGUF at `path`, made if it is not there. Raises StateError for another file."""
    target = path.with_name(path.stem + SUFFIX)
    if path.name.endswith(SUFFIX) or target.is_file():
        return path if path.name.endswith(SUFFIX) else target
    try:
        gguf: Any = import_module("gguf")
        quants: Any = import_module("gguf.quants")
        np: Any = import_module("numpy")
    except ImportError as error:
        raise MissingExtra("Exporting weights as F16", "local") from error
    try:
        reader = gguf.GGUFReader(path)
    except (ValueError, OSError) as error:
        raise StateError(f"{path} is not a GGUF file ({error}); pull it again.") from error
    architecture = reader.get_field("general.architecture").contents()
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    writer = gguf.GGUFWriter(aside, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=inner)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for tensor in reader.tensors:
        # Norms and biases stay in 32 bits, as llama.cpp's own converter leaves them.
        flat = len(tensor.shape) == 1
        numbers = quants.dequantize(tensor.data, tensor.tensor_type).astype(
            np.float32 if flat else np.float16
        )
        writer.add_tensor(tensor.name, numbers)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise StateError(f"{target} cannot be written ({error.strerror}); make room on the disk.") from error
    return target
