"""Language models for tests: a scripted LLM of LlamaIndex, and a scripted server that speaks the OpenAI protocol."""

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.llms import CustomLLM


class ScriptedLLM(CustomLLM):
    """Says the next of its texts, a few letters at a time; a text that is an exception is raised instead.

    A text may be a function of the prompt.
    """

    texts: list[object] = []
    piece_chars: int = 3
    window: int = 8192
    prompts: list[str] = []

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=self.window, model_name="scripted", is_chat_model=True)

    def _next(self, messages: Sequence[ChatMessage]) -> str:
        self.prompts.append("\n".join(str(message.content) for message in messages))
        text = self.texts[min(len(self.prompts), len(self.texts)) - 1]
        if isinstance(text, BaseException):
            raise text
        return text(self.prompts[-1]) if isinstance(text, Callable) else text

    def stream_chat(self, messages, **kwargs):
        text = self._next(messages)
        for start in range(0, len(text), self.piece_chars):
            delta = text[start : start + self.piece_chars]
            message = ChatMessage(role="assistant", content=text[: start + len(delta)])
            yield ChatResponse(message=message, delta=delta)

    def chat(self, messages, **kwargs):
        return ChatResponse(message=ChatMessage(role="assistant", content=self._next(messages)))

    def complete(self, prompt, formatted=False, **kwargs):
        return CompletionResponse(text=self._next([ChatMessage(content=prompt)]))

    def stream_complete(self, prompt, formatted=False, **kwargs):
        yield self.complete(prompt)


def statement(text, passage=1, quote=None):
    """Return one line as a model is asked to write it."""
    return json.dumps({"statement": text, "passage": passage, "quote": quote}) + "\n"


def chunks(text, *, usage=(50, 7), finish="stop"):
    """Return the events of a streamed answer in the OpenAI protocol."""
    base = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    pieces = [text[i : i + 7] for i in range(0, len(text), 7)]
    rows = [base | {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
    if finish:
        rows.append(base | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage:
        rows.append(base | {"choices": [], "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1],
                                                     "total_tokens": sum(usage)}})  # fmt: skip
    return [f"data: {json.dumps(row)}\n\n" for row in rows]


@contextmanager
def openai_server(*replies):
    """Serve the replies in turn, the last one again and again; yields (address, requests seen).

    A reply is (status, headers, body): a body that is a list is sent as events and ended with [DONE]; one that ends
    with None is broken off there, and a float in it is waited for, in seconds; `"hang"` says nothing until the server
    stops.
    """
    seen, stopping = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((dict(self.headers), json.loads(body)))
            status, headers, body = replies[min(len(seen), len(replies)) - 1]
            if body == "hang":
                stopping.wait(30)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if isinstance(body, list):
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for event in body:
                    if event is None:
                        self.close_connection = True
                        return
                    if isinstance(event, float):
                        stopping.wait(event)
                    else:
                        self._chunk(event)
                self._chunk("data: [DONE]\n\n")
                self.wfile.write(b"0\r\n\r\n")
            else:
                payload = body.encode()
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        def _chunk(self, text):
            data = text.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
