"""Clients that never stop: they make ports at controllers in turn, and keep what they were answered."""

import json
from collections.abc import Sequence
from threading import Event, Thread

import urllib3

from netplane.lab.controller import Controller


class Load:
    """Threads that make ports, each with a name of its own."""

    def __init__(self, controllers: Sequence[Controller], network: str, label: str, clients: int = 2) -> None:
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.unheard: set[str] = set()
        """Calls whose answer was lost, or says that nobody knows."""
        self._controllers = controllers
        self._network = network
        self._stop = Event()
        self._threads = [Thread(target=self._run, args=(f"{label}-{number}",)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End it when the calls under way have been answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, label: str) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=40)
        number = 0
        while not self._stop.wait(0.01):
            controller = self._controllers[number % len(self._controllers)]
            number += 1
            self._call(pool, controller, f"{label}-{number}")
        pool.clear()

    def _call(self, pool: urllib3.PoolManager, controller: Controller, name: str) -> None:
        body = json.dumps({"port": {"network_id": self._network, "name": name}}).encode()
        headers = {"X-Auth-Token": controller.secrets["admin"], "Content-Type": "application/json"}
        try:
            answer = pool.request("POST", f"{controller.url}/v2.0/ports", body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            self.unheard.add(name)
            return
        if answer.status == 201:
            self.acknowledged.add(name)
        elif answer.status == 504:
            self.unheard.add(name)
        else:
            assert answer.status == 503, answer.data
            assert int(answer.headers["Retry-After"]) > 0
            self.refused.add(name)
