"""A protoc plugin: what grpcio-tools, whose compiler knows no plugin of its own, makes of the files it is asked for."""

import sys
import tempfile
from pathlib import Path

import grpc_tools.protoc
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet

request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)

with tempfile.TemporaryDirectory() as folder:
    descriptors = Path(folder, "descriptors.binpb")
    descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
    out = Path(folder, "out")
    out.mkdir()
    status = grpc_tools.protoc.main(
        ["protoc", f"--descriptor_set_in={descriptors}"]
        + [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
        + list(request.file_to_generate)
    )
    if status != 0:
        sys.exit(status)
    for path in sorted(out.rglob("*.py*")):
        content = path.read_text()
        # No service in it.
        if path.name.endswith("_pb2_grpc.py") and "class " not in content:
            continue
        response.file.add(name=path.relative_to(out).as_posix(), content=content)

sys.stdout.buffer.write(response.SerializeToString())
