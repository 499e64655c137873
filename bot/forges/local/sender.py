"""Sends webhooks until somebody says 2xx, in order per repository; a crash only delays them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import httpx
from sqlmodel import col, select

from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeDelivery
from bot.forges.local.verify import sign
from bot.telemetry import get_logger

BATCH = 50
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
log = get_logger(__name__)


class Sender:
    """One thread. A repository whose delivery fails waits, with growing pauses; the others go on."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._url = ""
        self._stop = threading.Event()
        self._paused: dict[str, tuple[float, float]] = {}
        """repository -> (when to try again, the pause after that)."""
        self._trouble: dict[str, str] = {}
        """repository -> how its last attempt failed."""
        self._thread = threading.Thread(target=self._run, name="forge-webhooks", daemon=True)

    def start(self, url: str) -> None:
        """Send to `url` from now on."""
        self._url = url
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=15)

    def _run(self) -> None:
        # Proxies of the environment are for the way out of this machine, and this is none.
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not self._stop.is_set():
                try:
                    sent = self._round(client)
                except Exception:
                    log.exception("webhooks could not be sent; trying again")
                    sent = 0
                if not sent:
                    self._stop.wait(self._ground.settings.poll_s)

    def _round(self, client: httpx.Client) -> int:
        """Send what is due; the number of deliveries made."""
        now = time.monotonic()
        waiting = [repository for repository, (due, _) in self._paused.items() if due > now]
        with self._ground.read() as session:
            due = session.scalars(
                select(ForgeDelivery)
                .where(
                    col(ForgeDelivery.delivered_at).is_(None), col(ForgeDelivery.repository).not_in(waiting)
                )
                .order_by(col(ForgeDelivery.seq))
                .limit(BATCH)
            ).all()
        answers = self._send_all(client, due)
        self._note(answers)
        return sum(delivered for delivered, _ in answers.values())

    def _send_all(self, client: httpx.Client, due: Sequence[ForgeDelivery]) -> dict[int, tuple[bool, str]]:
        """Row number -> whether it arrived, and the answer. After a failure its repository's others stay."""
        answers: dict[int, tuple[bool, str]] = {}
        failed: set[str] = set()
        for delivery in due:
            if delivery.repository in failed or self._stop.is_set():
                continue
            arrived, answer = self._send(client, delivery)
            answers[delivery.seq or 0] = (arrived, answer)
            self._say(delivery, answer, arrived=arrived)
            if arrived:
                self._paused.pop(delivery.repository, None)
            else:
                failed.add(delivery.repository)
                _, pause = self._paused.get(delivery.repository, (0.0, FIRST_PAUSE_S))
                self._paused[delivery.repository] = (
                    time.monotonic() + pause,
                    min(pause * 2, LONGEST_PAUSE_S),
                )
        return answers

    def _say(self, delivery: ForgeDelivery, answer: str, *, arrived: bool) -> None:
        """Log when a repository's deliveries begin to fail, fail otherwise, or arrive again."""
        about = {"repository": delivery.repository, "delivery": delivery.delivery_id, "url": self._url}
        before = self._trouble.get(delivery.repository)
        if arrived and before is not None:
            del self._trouble[delivery.repository]
            log.info("webhooks_arrive_again", **about)
        elif not arrived and answer != before:
            self._trouble[delivery.repository] = answer
            log.warning("webhook_not_delivered", **about, error=answer)

    def _send(self, client: httpx.Client, delivery: ForgeDelivery) -> tuple[bool, str]:
        body = delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            "X-Pointsman-Delivery": delivery.delivery_id,
            "X-Pointsman-Event": delivery.event,
            "X-Pointsman-Repository": delivery.repository,
            "X-Pointsman-Signature-256": sign(self._ground.settings.secrets[0], body),
        }
        try:
            answer = client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return False, type(error).__name__
        return answer.is_success, str(answer.status_code)

    def _note(self, answers: dict[int, tuple[bool, str]]) -> None:
        """One transaction a round: a crash before it sends them again, and the receiver knows their ids."""
        if not answers:
            return
        with self._ground.write() as session:
            for delivery in session.scalars(select(ForgeDelivery).where(col(ForgeDelivery.seq).in_(answers))):
                arrived, answer = answers[delivery.seq or 0]
                delivery.attempts += 1
                delivery.last_answer = answer
                delivery.delivered_at = self._ground.moment() if arrived else None
