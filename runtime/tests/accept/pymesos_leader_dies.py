"""A pymesos scheduler runs tasks while the leader is killed in the middle. Whoever runs this script
kills the leader when it says HALF. Every task ends well and none runs twice: a task that the master
does not know when the scheduler has returned was never launched, and is launched under a new name.
env: MASTER, RUNS (a file to which every task appends its name)"""
import collections, os, sys, threading, time
from pymesos import MesosSchedulerDriver, Scheduler

MASTER, RUNS = os.environ['MASTER'], os.environ['RUNS']
COUNT, DEADLINE = int(os.environ.get('COUNT', '30')), time.time() + 200
OVER = ('TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR', 'TASK_LOST', 'TASK_DROPPED', 'TASK_GONE')


def amounts(cpus, mem):
    return [dict(name=name, type='SCALAR', scalar={'value': value}) for name, value in (('cpus', cpus), ('mem', mem))]


class Runs(Scheduler):
    def __init__(self):
        self.lock = threading.RLock()
        self.todo = collections.deque((n, 0) for n in range(COUNT))
        self.live, self.done, self.errors, self.returned = {}, {}, [], 0

    def reregistered(self, driver, master):
        self.returned += 1
        self.ask(driver)

    def ask(self, driver):
        with self.lock:
            tasks = [dict(task_id={'value': '%d.%d' % key}) for key in self.live]
        if tasks:
            driver.reconcileTasks(tasks)

    def error(self, driver, message):
        self.errors.append(message)

    def resourceOffers(self, driver, offers):
        for offer in offers:
            with self.lock:
                free = collections.Counter()
                for r in offer['resources']:
                    if r['type'] == 'SCALAR':
                        free[r['name']] += r['scalar']['value']
                keys = []
                while self.todo and len(keys) < 3 and free['cpus'] > 0.3 * (len(keys) + 1) and free['mem'] > 32 * (len(keys) + 1):
                    keys.append(self.todo.popleft())
                # Before the call: whether it arrived is not known when the connection breaks.
                self.live.update((key, None) for key in keys)
            tasks = [dict(task_id={'value': '%d.%d' % key}, agent_id=offer['agent_id'], name='t%d' % key[0], resources=amounts(0.3, 16),
                          command={'value': 'echo %d >> %s; sleep 1' % (key[0], RUNS)}) for key in keys]
            if tasks:
                driver.launchTasks(offer['id'], tasks, {'refuse_seconds': 0})
            else:
                driver.declineOffer(offer['id'], {'refuse_seconds': 1})

    def statusUpdate(self, driver, status):
        key = tuple(int(part) for part in status['task_id']['value'].split('.'))
        state = status['state']
        with self.lock:
            if key not in self.live:
                return
            self.live[key] = state
            if state not in OVER:
                return
            del self.live[key]
            if state == 'TASK_FINISHED':
                self.done[key[0]] = state
            else:
                print('AGAIN', key, state, status.get('reason'), status.get('message'), flush=True)
                self.todo.append((key[0], key[1] + 1))
                driver.reviveOffers()


scheduler = Runs()
driver = MesosSchedulerDriver(scheduler, dict(user='root', name='leader-dies', failover_timeout=600.0, checkpoint=True), MASTER)
driver.start()
told, asked = False, 0
while len(scheduler.done) < COUNT and time.time() < DEADLINE:
    time.sleep(0.1)
    if not told and len(scheduler.done) >= COUNT // 3:
        told = True
        print('HALF', flush=True)
    # Reconciliation is asked for again until it is answered, as its documentation says.
    if scheduler.returned and time.time() - asked > 5 and driver.connected:
        asked = time.time()
        try:
            scheduler.ask(driver)
        except Exception as error:
            print('cannot ask:', error, flush=True)
driver.stop()
driver.join()
ran = collections.Counter(open(RUNS).read().split())
twice = [name for name, count in ran.items() if count > 1]
missing = [n for n in range(COUNT) if str(n) not in ran]
print('done=%d returned=%d twice=%s missing=%s errors=%s live=%s' % (len(scheduler.done), scheduler.returned, twice, missing, scheduler.errors, scheduler.live), flush=True)
good = len(scheduler.done) == COUNT and scheduler.returned and not twice and not missing and not scheduler.errors
os._exit(0 if good else 1)
