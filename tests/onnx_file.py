"""Small ONNX files, written byte by byte: field numbers are those of onnx.proto3 (ONNX 1.13)."""

FLOAT, DOUBLE = 1, 11


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """One field of a message: a whole number, or the bytes of a text or of another message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, shape, kind=FLOAT):
    """ValueInfoProto: a side is a number, or a word for any."""
    sides = b"".join(field(1, field(1 if isinstance(side, int) else 2, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sides)))


def node(operator, inputs, output, axes=None):
    """NodeProto, with the attribute "axes" if there is one."""
    attribute = b"" if axes is None else field(5, field(1, "axes") + field(20, 7) + field(8, axes))
    names = b"".join(field(1, name) for name in inputs)
    return names + field(2, output) + field(4, operator) + attribute


def written(path, nodes, inputs, outputs):
    """Write a ModelProto with opset 13, and return the path as a text."""
    graph = b"".join(field(1, each) for each in nodes) + field(2, "graph")
    graph += b"".join(field(11, each) for each in inputs) + b"".join(field(12, each) for each in outputs)
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 13)))
    return str(path)


def mean_of_channels(path, size=(16, 16), more=(), kind=FLOAT):
    """A network whose mask is the mean of the channels that it is given, after further operators."""
    names = ["mean", *(f"after {name}" for name in more)]
    nodes = [node("ReduceMean", ["picture"], "mean", axes=1)]
    nodes += [node(name, [before], after) for name, before, after in zip(more, names, names[1:], strict=False)]
    picture, mask = tensor("picture", (1, 3, *size), kind), tensor(names[-1], (1, 1, *size), kind)
    return written(path, nodes, [picture], [mask])
