"""A process that shares memory of the GPU by the driver's handles, for the tests. One question a line, as JSON."""

import ctypes
import json
import sys
import time

import torch

driver = ctypes.CDLL("libcuda.so.1")
RANGE_START = 11
LAZY_PEER_ACCESS = 1


class Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_ubyte * 64)]


def check(result):
    if result != 0:
        name = ctypes.c_char_p()
        driver.cuGetErrorName(result, ctypes.byref(name))
        raise RuntimeError(name.value.decode())


class Foreign:
    """Memory at an address, as PyTorch wants to hear of it."""

    def __init__(self, address, count):
        self.__cuda_array_interface__ = {
            "shape": (count,),
            "typestr": "<f4",
            "data": (address, False),
            "version": 3,
        }


kept = None


def export(question):
    global kept
    kept = torch.arange(question["count"], dtype=torch.float32, device="cuda")
    torch.cuda.synchronize()
    start = ctypes.c_uint64()
    address = ctypes.c_uint64(kept.data_ptr())
    check(driver.cuPointerGetAttribute(ctypes.byref(start), RANGE_START, address))
    handle = Handle()
    check(driver.cuIpcGetMemHandle(ctypes.byref(handle), address))
    return {
        "handle": bytes(handle.bytes).hex(),
        "byteOffset": kept.data_ptr() - start.value,
        "count": question["count"],
    }


def opened(question):
    handle = Handle((ctypes.c_ubyte * 64)(*bytes.fromhex(question["handle"])))
    address = ctypes.c_uint64()
    check(driver.cuIpcOpenMemHandle_v2(ctypes.byref(address), handle, LAZY_PEER_ACCESS))
    return address


def check_double(question):
    address = opened(question)
    seen = torch.as_tensor(Foreign(address.value, question["count"]), device="cuda").clone()
    wanted = torch.arange(question["count"], dtype=torch.float32, device="cuda") * 2
    is_doubled = bool(torch.equal(seen, wanted))
    torch.cuda.synchronize()
    check(driver.cuIpcCloseMemHandle(address))
    return {"isDoubled": is_doubled}


def worker(queue, back):
    while True:
        tensor = queue.get()
        if tensor is None:
            return
        back.put(tensor.shape[0])
        del tensor


def bench(question):
    import torch.multiprocessing as multiprocessing

    context = multiprocessing.get_context("spawn")
    queue, back = context.Queue(), context.Queue()
    process = context.Process(target=worker, args=(queue, back))
    process.start()
    rows = []
    for size in question["bytes"]:
        tensor = torch.zeros(size // 4, dtype=torch.float32, device="cuda")
        times = []
        for _ in range(question["rounds"]):
            start = time.perf_counter()
            queue.put(tensor)
            back.get()
            times.append((time.perf_counter() - start) * 1e6)
        rows.append({"bytes": size, "us": sorted(times)[len(times) // 2]})
        del tensor
    queue.put(None)
    process.join()
    return {"rows": rows}


ANSWERS = {"export": export, "check": check_double, "bench": bench}

if __name__ == "__main__":
    torch.cuda.init()
    torch.zeros(1, device="cuda")
    print("ready", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(ANSWERS[question["do"]](question)), flush=True)
