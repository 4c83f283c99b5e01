"""Holds `tune serve` to OpenAI's own Python client: check.py ADDRESS MODEL.

Every request is one that people write: whole and streamed answers, chat and plain
completions, stop, max_tokens, temperature, seed, n, usage; errors as the client's own
exceptions; fifty streams at a time.
"""

import sys
import threading
import time

import openai

address, model = sys.argv[1], sys.argv[2]
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5
client = openai.OpenAI(base_url=address, api_key="none", max_retries=0, timeout=600)

names = [m.id for m in client.models.list()]
assert model in names, names
assert client.models.retrieve(model).id == model

ask = dict(model=model, messages=[{"role": "user", "content": "guest 7 :"}], max_tokens=24, temperature=0)
whole = client.chat.completions.create(**ask)
text = whole.choices[0].message.content
assert text and whole.choices[0].finish_reason in ("stop", "length"), whole
assert whole.usage.completion_tokens <= 24 and whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, whole.usage

streamed, usage = "", None
for piece in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}):
    usage = piece.usage or usage
    for choice in piece.choices:
        streamed += choice.delta.content or ""
assert streamed == text, (streamed, text)
assert usage.completion_tokens == whole.usage.completion_tokens, usage

plain = dict(model=model, prompt="guest 7 :", max_tokens=24, temperature=0)
first = client.completions.create(**plain).choices[0].text
assert "".join(p.choices[0].text for p in client.completions.create(**plain, stream=True)) == first
if len(first) > 8:
    assert client.completions.create(**plain, stop=[first[4:7]]).choices[0].text == first[: first.index(first[4:7])]

hot = dict(ask, temperature=1.5, seed=7, n=3)
one, two = ([c.message.content for c in client.chat.completions.create(**hot).choices] for _ in range(2))
assert one == two and len(one) == 3, (one, two)

for change, error in (
    (dict(model="nobody"), openai.NotFoundError),
    (dict(n=0), openai.BadRequestError),
    (dict(temperature=-1), openai.BadRequestError),
    (dict(max_tokens=0), openai.BadRequestError),
    (dict(messages=[]), openai.BadRequestError),
):
    try:
        client.chat.completions.create(**dict(ask, **change))
    except error as e:
        assert e.body["message"], e
    else:
        raise AssertionError(f"{change} is taken")

leaver = client.chat.completions.create(**dict(ask, max_tokens=200, temperature=1), stream=True)
next(iter(leaver))
leaver.close()

end, answers, failed = time.time() + seconds, [], []


def talk(n):
    try:
        while time.time() < end:
            parts = client.chat.completions.create(**dict(ask, temperature=0.7, seed=n), stream=True)
            reasons = [c.finish_reason for p in parts for c in p.choices if c.finish_reason]
            assert len(reasons) == 1, reasons
            answers.append(n)
    except Exception as e:  # told below
        failed.append(e)


threads = [threading.Thread(target=talk, args=(n,)) for n in range(50)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert not failed, failed[0]
print(f"openai {openai.__version__}: every request as it should be; 50 streams for {seconds:g} s: {len(answers)} answers, no error")
