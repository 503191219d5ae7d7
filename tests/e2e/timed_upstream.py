"""An upstream whose chunks say when they were sent: `python timed_upstream.py CHUNKS GAP_MS`."""

import asyncio
import sys
import time

import uvloop

CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,%s}]}\n\n'
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(payload: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(payload), payload)


async def main(chunks: int, gap: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            writer.write(HEAD)
            for _ in range(chunks):
                await asyncio.sleep(gap)
                said = b'"delta":{"content":"@%d@"},"finish_reason":null' % time.monotonic_ns()
                writer.write(framed(CHUNK % said))
            end = CHUNK % b'"delta":{},"finish_reason":"stop"' + b"data: [DONE]\n\n"
            writer.write(framed(end) + b"0\r\n\r\n")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
