"""The few parts of PyTorch that torch_peer.py uses, over whatever libcuda.so.1 the loader finds: the tests' stand-in.

So every line of that program is run where there is neither PyTorch nor a GPU.
"""

import ctypes
from array import array
from types import SimpleNamespace

float32 = "float32"
_driver = ctypes.CDLL("libcuda.so.1")
_context = ctypes.c_void_p()


class _Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_ubyte * 64)]


def _check(result):
    if result != 0:
        raise RuntimeError(f"the driver says {result}")


def _init():
    if _context.value is None:
        _check(_driver.cuInit(0))
        _check(_driver.cuDevicePrimaryCtxRetain(ctypes.byref(_context), 0))
        _check(_driver.cuCtxPushCurrent_v2(_context))


def _within(call):
    """Queues send tensors from threads of their own, which have no context."""
    popped = ctypes.c_void_p()
    _check(_driver.cuCtxPushCurrent_v2(_context))
    try:
        return _check(call())
    finally:
        _driver.cuCtxPopCurrent_v2(ctypes.byref(popped))


class Tensor:
    def __init__(self, address, count, free):
        self._address, self._free, self.shape = address, free, (count,)

    def data_ptr(self):
        return self._address

    def _values(self):
        into = array("f", bytes(4 * self.shape[0]))
        place, size = into.buffer_info()
        _within(lambda: _driver.cuMemcpyDtoHAsync_v2(ctypes.c_void_p(place), ctypes.c_uint64(self._address),
                                                     ctypes.c_size_t(4 * size), None))
        return into

    def clone(self):
        return _made(self._values())

    def __mul__(self, factor):
        return _made(array("f", [value * factor for value in self._values()]))

    def __reduce__(self):
        handle = _Handle()
        _within(lambda: _driver.cuIpcGetMemHandle(ctypes.byref(handle), ctypes.c_uint64(self._address)))
        return _opened, (bytes(handle.bytes), self.shape[0])

    def __del__(self):
        if self._free is not None:
            _within(lambda: self._free(ctypes.c_uint64(self._address)))


def _made(values):
    _init()
    address = ctypes.c_uint64()
    place, count = values.buffer_info()
    _within(lambda: _driver.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(4 * max(count, 1))))
    _within(lambda: _driver.cuMemcpyHtoDAsync_v2(address, ctypes.c_void_p(place), ctypes.c_size_t(4 * count), None))
    return Tensor(address.value, count, _driver.cuMemFree_v2)


def _opened(handle, count):
    _init()
    address = ctypes.c_uint64()
    copy = _Handle((ctypes.c_ubyte * 64)(*handle))
    _within(lambda: _driver.cuIpcOpenMemHandle_v2(ctypes.byref(address), copy, 1))
    return Tensor(address.value, count, _driver.cuIpcCloseMemHandle)


def arange(count, dtype, device):
    assert (dtype, device) == (float32, "cuda")
    return _made(array("f", range(count)))


def zeros(count, dtype=float32, device="cpu"):
    assert (dtype, device) == (float32, "cuda")
    return _made(array("f", bytes(4 * count)))


def as_tensor(foreign, device):
    facts = foreign.__cuda_array_interface__
    assert (device, facts["typestr"], facts["version"]) == ("cuda", "<f4", 3)
    return Tensor(facts["data"][0], facts["shape"][0], None)


def equal(one, other):
    return one._values() == other._values()


cuda = SimpleNamespace(
    init=_init,
    is_available=lambda: _driver.cuInit(0) == 0,
    synchronize=lambda: _within(_driver.cuCtxSynchronize),
)
