"""Writes golden/mat/: MATLAB's files as SciPy writes them, with what the datasets' official files hold."""

import pathlib

import numpy
import scipy.io

folder = pathlib.Path(__file__).parent / "mat"
folder.mkdir(exist_ok=True)
classes = numpy.empty((1, 3), dtype=object)
classes[0] = ["BMW M3", "Škoda", "A"]
annotations = numpy.zeros((1, 2), dtype=[("bbox_x1", "O"), ("class", "O"), ("fname", "O")])
annotations[0, 0] = (numpy.uint16([[39]]), numpy.uint8([[14]]), "00001.jpg")
annotations[0, 1] = (numpy.uint16([[300]]), numpy.uint8([[196]]), "00002.jpg")
numbers = [[1, 2, 300]]
variables = {
    "X": numpy.arange(12, dtype=numpy.uint8).reshape(2, 3, 1, 2),
    "double": numpy.float64(numbers),
    "int16": numpy.int16(numbers),
    "uint32": numpy.uint32(numbers),
    "single": numpy.float32(numbers),
    "classes": classes,
    "annotations": annotations,
}


def write(name, compressed):
    path = folder / name
    scipy.io.savemat(path, variables, do_compression=compressed)
    # The header's text has the time of writing.
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + content[116:])


write("compressed.mat", True)
write("plain.mat", False)
