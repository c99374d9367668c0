"""What a worker would be without our hardening: RQ's own, with the JSON serializer; run as a script.

Its one job does no harm, like ours: what else comes to pass is RQ's doing.
"""

import os

import redis
from rq import SpawnWorker, Worker
from rq.serializers import JSONSerializer

from tests.service.queue_worker import FAILING, GATED, note, wait_at
from workers import jobs
from workers.contract import PlanRequest

CLASSES = {"fork": Worker, "spawn": SpawnWorker}


def plan(body: str, _signature: str) -> None:
    request = PlanRequest.model_validate_json(body)
    note(f"plan {request.request_id}")
    if request.reply_to == GATED:
        wait_at(f"open-{request.request_id}")
    if request.reply_to == FAILING:
        raise RuntimeError("a mistake of ours")


def main() -> None:
    jobs.plan = plan  # type: ignore[assignment]
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    worker = CLASSES[os.environ["PLAIN_CLASS"]](
        [os.environ["QUEUE_HOST"]], connection=client, serializer=JSONSerializer
    )
    worker.work()


if __name__ == "__main__":
    main()
