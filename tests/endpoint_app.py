"""A small OpenAI-compatible server over a model of ours: `python -m tests.endpoint_app SOURCE PORT`.

It wants the key in $SERVER_KEY if that is set, and answers the first $FAILURES requests with 503.
"""

import os
import sys
import threading

import uvicorn
from fastapi import FastAPI, HTTPException, Request

from emotion_concepts import load_model
from emotion_concepts.generation import chat_prompt, sample

app = FastAPI()
lock = threading.Lock()
model = None
failures = int(os.environ.get("FAILURES", "0"))


@app.get("/health")
def health() -> dict:
    return {"ready": model is not None}


@app.post("/v1/chat/completions")
async def complete(request: Request) -> dict:
    global failures
    key = os.environ.get("SERVER_KEY")
    if key and request.headers.get("authorization") != f"Bearer {key}":
        raise HTTPException(401, "wrong key")
    if failures > 0:
        failures -= 1
        raise HTTPException(503, "busy")
    asked = await request.json()
    prompt = chat_prompt(model, asked["messages"][0]["content"])
    with lock:
        (text,) = sample(
            model, [prompt], max_new_tokens=asked["max_tokens"], temperature=asked["temperature"],
            top_p=asked["top_p"], seeds=[asked["seed"]],
        )  # fmt: skip
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [choice],
    }


if __name__ == "__main__":
    model = load_model(sys.argv[1], dtype="float32")
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
