"""An unmodified pymesos scheduler that finds its master through zk://, given as the argument.

It runs five tasks, says so, waits until it is subscribed a second time, runs five more, and says
so. All ten must be running at the end: nothing was lost with the first leader.
"""

import sys
import threading
import time

from pymesos import MesosSchedulerDriver, Scheduler

PATIENCE_S = 120


class Tasks(Scheduler):
    def __init__(self):
        self.lock = threading.Lock()
        self.wanted = 5
        self.launched = 0
        self.subscriptions = 0
        self.states = {}

    def registered(self, driver, framework_id, master_info):
        self.subscriptions += 1

    def reregistered(self, driver, master_info):
        self.subscriptions += 1

    def resourceOffers(self, driver, offers):
        for offer in offers:
            tasks = []
            with self.lock:
                while self.launched < self.wanted:
                    self.launched += 1
                    name = "sleep-%d" % self.launched
                    scalar = lambda name, value: dict(
                        name=name, type="SCALAR", scalar=dict(value=value)
                    )
                    tasks.append(
                        dict(
                            task_id=dict(value=name),
                            name=name,
                            agent_id=offer["agent_id"],
                            resources=[scalar("cpus", 0.1), scalar("mem", 32)],
                            command=dict(value="sleep 600", shell=True),
                        )
                    )
            if tasks:
                driver.launchTasks(offer["id"], tasks, dict(refuse_seconds=0.1))
            else:
                driver.declineOffer(offer["id"], dict(refuse_seconds=0.1))

    def statusUpdate(self, driver, update):
        self.states[update["task_id"]["value"]] = update["state"]

    def running(self):
        return sum(state == "TASK_RUNNING" for state in self.states.values())


def wait(what, condition):
    end = time.time() + PATIENCE_S
    while not condition():
        if time.time() > end:
            sys.exit("waited in vain: " + what)
        time.sleep(0.05)
    print(what, flush=True)


def main():
    tasks = Tasks()
    framework = dict(
        user="root", name="zookeeper-test", role="*", failover_timeout=120, checkpoint=True
    )
    driver = MesosSchedulerDriver(tasks, framework, sys.argv[1])
    driver.start()
    wait("5 tasks run", lambda: tasks.running() == 5)
    before = tasks.subscriptions
    wait("subscribed again", lambda: tasks.subscriptions > before)
    tasks.wanted = 10
    wait("10 tasks run", lambda: tasks.running() == 10)
    driver.stop()
    driver.join()
    print("done", flush=True)


main()
