"""A guest that speaks src/rpc/PROTOCOL.md with another MessagePack implementation, driven by that document alone."""

import socket
import struct
import sys

import msgpack

HELLO, WELCOME, LOAD, READY, CALL, RESULT, ERROR, CANCEL = 1, 2, 3, 4, 5, 6, 7, 8
PROGRESS, ITEM, END, CREDIT, STOP, RELEASE, EVENT, PING, PONG, SHUTDOWN, GOODBYE, CLOSE, ABORT = range(9, 22)
UNDEFINED = msgpack.ExtType(1, b"\0")


def marker(letter):
    return msgpack.ExtType(2, letter.encode())


class Peer:
    def __init__(self, path, token):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.buffer = b""
        self.next_id = 0
        self.next_stream = 0
        self.waiting = {}  # call id -> what to do with its reply
        self.sources = {}  # stream id -> [generator, items that may still be sent]
        self.sinks = {}  # stream id -> [items so far, call to answer with them]
        self.cancellable = set()
        self.signals = {}  # signal id -> call to answer with its reason
        self.send(HELLO, 1, token, {"language": "python"}, {"maxFrameBytes": 1 << 20})
        assert self.receive()[:2] == [WELCOME, 1]

    def send(self, *message):
        payload = msgpack.packb(message)
        self.socket.sendall(struct.pack("<I", len(payload)) + payload)

    def read(self, count):
        while len(self.buffer) < count:
            chunk = self.socket.recv(65536)
            if not chunk:
                sys.exit(0)
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        (length,) = struct.unpack("<I", self.read(4))
        return msgpack.unpackb(self.read(length), strict_map_key=True)

    def call(self, parent, target, method, args, then):
        self.next_id += 1
        self.waiting[self.next_id] = then
        self.send(CALL, self.next_id, parent, target, method, args)

    def error(self, call, kind, message):
        self.send(ERROR, call, [marker("E"), kind, kind, message, None, {}])

    def pump(self, stream):
        source = self.sources[stream]
        while source[1] > 0:
            try:
                self.send(ITEM, stream, next(source[0]))
            except StopIteration:
                del self.sources[stream]
                return self.send(END, stream)
            source[1] -= 1

    def serve(self, call, parent, target, method, args, *_):
        if target != "plugin":
            return self.error(call, "TypeError", "not exposed")
        if method == "echo":
            return self.send(RESULT, call, args[0])
        if method == "fail":
            return self.error(call, "RangeError", "from python")
        if method == "hang":
            return self.cancellable.add(call)
        if method == "ask_host":  # calls a service of the host, then answers with what it said
            return self.call(call, "clock", "now", args, lambda value: self.send(RESULT, call, ["host said", value]))
        if method == "apply":  # args[0] is a function of the host: [marker F, id]
            function = args[0][1]

            def answer(value):
                self.send(RELEASE, [function, 1])
                self.send(RESULT, call, value)

            return self.call(call, function, "", args[1:], answer)
        if method == "watch":  # args[0] is a signal of the host: [marker A, id], or [marker A, 0, reason]
            if args[0][1] == 0:
                return self.send(RESULT, call, args[0][2])
            self.signals[args[0][1]] = call
            return None
        if method == "count":
            self.next_stream += 1
            self.sources[self.next_stream] = [iter(range(args[0])), 16]
            self.send(RESULT, call, [marker("G"), self.next_stream, False])
            return self.pump(self.next_stream)
        if method == "sum":  # args[0] is a stream of the host: [marker G, stream, isReadable]
            self.sinks[args[0][1]] = [0, call]
            return None
        return self.error(call, "TypeError", "not exposed")

    def run(self):
        while True:
            kind, *fields = self.receive()
            if kind == LOAD:
                names = ["echo", "fail", "hang", "ask_host", "apply", "sum", "watch"]
                exports = [{"name": name, "kind": "function"} for name in names]
                self.send(READY, fields[0], exports + [{"name": "count", "kind": "stream"}])
            elif kind == CALL:
                self.serve(*fields)
            elif kind == RESULT:
                self.waiting.pop(fields[0])(fields[1])
            elif kind == CANCEL:
                if fields[0] in self.cancellable:
                    self.cancellable.remove(fields[0])
                    self.send(EVENT, "cancelled", fields[0])
                    self.send(RESULT, fields[0], UNDEFINED)
            elif kind == ABORT:
                if fields[0] in self.signals:
                    self.send(RESULT, self.signals.pop(fields[0]), fields[1])
            elif kind == CREDIT:
                if fields[0] in self.sources:
                    self.sources[fields[0]][1] += fields[1]
                    self.pump(fields[0])
            elif kind == STOP:
                if self.sources.pop(fields[0], None) is not None:
                    self.send(EVENT, "stopped", fields[0])
                    self.send(END, fields[0])
            elif kind == ITEM:
                self.sinks[fields[0]][0] += fields[1]
                self.send(CREDIT, fields[0], 1)
            elif kind == END:
                total, call = self.sinks.pop(fields[0])
                self.send(RESULT, call, total)
            elif kind == PING:
                self.send(PONG, fields[0])
            elif kind == SHUTDOWN:
                self.send(GOODBYE, 42)
                sys.exit(42)
            else:
                sys.exit(f"unexpected message {kind} {fields}")


Peer(sys.argv[1], sys.argv[2]).run()
