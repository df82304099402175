# SPDX-License-Identifier: MIT
"""Held polls in aiohttp (Debian's package), in memory.     polls_aiohttp.py PORT

Counterpart of tests/bench/bench_agents.py: who polls waits for an answer or for its time."""
import asyncio
import resource
import sys

from aiohttp import web

WAITING = {}  # request_id → set of futures


async def poll(request):
    name, future = request.query["request_id"], asyncio.get_running_loop().create_future()
    WAITING.setdefault(name, set()).add(future)
    try:
        answer = await asyncio.wait_for(future, float(request.query["wait"]))
    except asyncio.TimeoutError:
        answer = {"status": "waiting", "request_id": name}
    finally:
        WAITING[name].discard(future)
    return web.json_response(answer)


async def serve():
    app = web.Application()
    app.router.add_get("/poll", poll)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=4096).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
asyncio.run(serve())
