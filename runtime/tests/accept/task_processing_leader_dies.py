"""Yelp's task_processing runs tasks while the leader is killed in the middle; whoever runs this
script kills it when it says HALF. Every task ends well and none runs twice.
env: MASTER, RUNS (a file to which every task appends its name)"""
import collections, logging, os, time
logging.basicConfig(level=logging.WARNING)
from task_processing.task_processor import TaskProcessor

MASTER, RUNS = os.environ['MASTER'], os.environ['RUNS']
COUNT, DEADLINE = int(os.environ.get('COUNT', '8')), time.time() + 200
processor = TaskProcessor()
processor.load_plugin(provider_module='task_processing.plugins.mesos')
executor = processor.executor_from_config(provider='mesos_task', provider_config=dict(
    mesos_address=MASTER, role='*', secret=None, framework_name='leader-dies', failover=True, initial_decline_delay=0.1))
Task = executor.TASK_CONFIG_INTERFACE
queue = executor.get_event_queue()
tasks = {}
for n in range(COUNT):
    task = Task(containerizer='MESOS', cmd='echo %d >> %s; sleep %d' % (n, RUNS, 1 + 2 * n), cpus=0.1, mem=32, disk=1)
    tasks[task.task_id] = n
    executor.run(task)
ends, told = {}, False
while len(ends) < COUNT and time.time() < DEADLINE:
    try:
        event = queue.get(timeout=1)
    except Exception:
        continue
    if event.kind == 'task' and event.task_id in tasks and event.terminal:
        ends[tasks[event.task_id]] = event.success
        if not told:
            told = True
            print('HALF', flush=True)
ran = collections.Counter(open(RUNS).read().split())
print('ends=%s ran=%s' % (ends, dict(ran)), flush=True)
good = len(ends) == COUNT and all(ends.values()) and all(ran[str(n)] == 1 for n in range(COUNT))
os._exit(0 if good else 1)
