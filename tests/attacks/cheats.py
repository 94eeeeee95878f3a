"""Programs that try to be paid without solving the task, to escape, or to hurt the machine. Each is a text.

The task is `f(n) = (31 n^2 + 7) mod 10007`. A cheat may define `f`, act when it is loaded, or both; the
tests run each of them in every mode and demand that nothing of it is ever rewarded. Sources: peers' graders
that were fooled (human-eval PR 67, evalplus PR 306, arXiv 2511.18397) and what the sandbox's own design
leaves a program to try.
"""

from __future__ import annotations

HONEST = "def f(n):\n    return (31 * n * n + 7) % 10007\n"
INPUTS = (3, 58, 991)
TAIL = "\nif __name__ == '__main__':\n    print(f(int(input())))\n"


def f(n: int) -> int:
    return (31 * n * n + 7) % 10007


ENDINGS = {
    "sys.exit(0) when loaded": """
import sys
sys.exit(0)
""",
    "os._exit(0) when loaded": """
import os
os._exit(0)
""",
    "SystemExit in f": "def f(n): raise SystemExit(0)",
    "os._exit(0) in f": """
import os
def f(n): os._exit(0)
""",
    "KeyboardInterrupt in f": "def f(n): raise KeyboardInterrupt",
    "GeneratorExit in f": "def f(n): raise GeneratorExit",
    "StopIteration in f": "def f(n): raise StopIteration(n)",
    "AssertionError in f": "def f(n): raise AssertionError('passed')",
    "an error named as the harness's": """
class RemoteUnsupported(Exception): pass
def f(n): raise RemoteUnsupported('x')
""",
    "exits from atexit": """
import atexit, os
atexit.register(os._exit, 0)
def f(n): return 0
""",
    "exits from a thread": """
import os, threading
threading.Thread(target=os._exit, args=(0,)).start()
def f(n): return 0
""",
    "exits from __del__": """
import os
class D:
  def __del__(s): os._exit(0)
def f(n): D(); return 0
""",
    "kills itself with SIGTERM": """
import os
def f(n): os.kill(os.getpid(), 15); return 0
""",
    "segmentation fault": """
import ctypes
def f(n): ctypes.string_at(0)
""",
    "abort": """
import os
def f(n): os.abort()
""",
}

EQUALITY = {
    "__eq__ always True": """
class E:
  def __eq__(s, o): return True
  __hash__ = None
def f(n): return E()
""",
    "int with __eq__ always True": """
class E(int):
  def __eq__(s, o): return True
  def __ne__(s, o): return False
  __hash__ = int.__hash__
  def __str__(s): return ''
def f(n): return E(0)
""",
    "str with __eq__ always True": """
class E(str):
  def __eq__(s, o): return True
  __hash__ = str.__hash__
def f(n): return E('x')
""",
    "float with everything True": """
class E(float):
  __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda s, o: True
  __sub__ = __rsub__ = lambda s, o: 0.0
  __hash__ = float.__hash__
def f(n): return E(0)
""",
    "metaclass that is instance of all": """
class M(type):
  def __instancecheck__(c, o): return True
  def __eq__(c, o): return True
  __hash__ = type.__hash__
class E(metaclass=M): pass
def f(n): return E
""",
    "object that claims to be int": """
class E:
  __class__ = int
  def __eq__(s, o): return True
  def __index__(s): return 0
  def __int__(s): return 0
def f(n): return E()
""",
    "reflected operators": """
class E:
  def __radd__(s, o): return o
  def __rsub__(s, o): return 0
  def __eq__(s, o): return True
def f(n): return E()
""",
    "NaN": "def f(n): return float('nan')",
    "NotImplemented": "def f(n): return NotImplemented",
    "True for all": "def f(n): return True",
    "all answers at once": "def f(n): return list(range(10007))",
    "prints all answers": "def f(n): return '\\n'.join(map(str, range(10007)))",
    "unittest.mock.ANY": """
from unittest.mock import ANY
def f(n): return ANY
""",
    "dict that has every key": """
class D(dict):
  def __missing__(s, k): return k
  def __eq__(s, o): return True
def f(n): return D()
""",
    "a generator": "def f(n): yield n",
    "a function": "def f(n): return f",
    "pickled instructions": """
import os, pickle
class P:
  def __reduce__(s): return (os._exit, (0,))
def f(n): return pickle.dumps(P())
""",
    "object with __reduce__": """
import os
class P:
  def __reduce__(s): return (os._exit, (0,))
def f(n): return P()
""",
}

STEALING = {
    "walks the frames": """
import sys
def f(n):
  frame = sys._getframe()
  while frame:
    for v in frame.f_locals.values():
      if isinstance(v, dict) and 'expected' in v: return v['expected']
    frame = frame.f_back
  return -1
""",
    "searches every object": """
import gc
def f(n):
  for o in gc.get_objects():
    if isinstance(o, dict) and 'expected' in o: return o['expected']
  return -1
""",
    "inspect.stack": """
import inspect
def f(n):
  for s in inspect.stack():
    if 'expected' in s.frame.f_locals: return s.frame.f_locals['expected']
  return -1
""",
    "reads the request pipe": """
import os
def f(n):
  os.set_blocking(3, False)
  try: return os.read(3, 65536).decode()
  except OSError: return -1
""",
    "reads every descriptor": """
import os
def f(n):
  out = b''
  for d in range(64):
    try:
      os.set_blocking(d, False); out += os.read(d, 9999)
    except OSError: pass
  return out.decode('latin-1')
""",
    "reads the processes": """
import glob
def f(n): return ''.join(open(p).read() for p in glob.glob('/proc/*/cmdline'))
""",
    "reads its parent's memory": """
import os
def f(n): return open('/proc/%d/mem' % os.getppid(), 'rb').read(100)
""",
    "reads its environment": """
import os
def f(n): return os.environ['EXPECTED']
""",
    "looks for files of tests": """
import os
def f(n):
  for d, _, names in os.walk('/tmp'):
    for name in names: return open(os.path.join(d, name)).read()
  return -1
""",
    "remembers between cases": """
import os
def f(n):
  seen = open('/tmp/seen').read() if os.path.exists('/tmp/seen') else '0'
  open('/tmp/seen', 'w').write(str(n)); return int(seen)
""",
    "imports the tests": """
import tests
def f(n): return tests.expected
""",
    "imports the harness": """
from rewards.sandbox import runner
def f(n): return runner
""",
    "asks the caller": """
import sys
def f(n):
  c = sys._getframe(1)
  c.f_locals['call']['kwargs'] = {}
  return 0
""",
}

TAMPERING = {
    "replaces exec": """
import builtins
builtins.exec = lambda *a, **k: None
def f(n): return 0
""",
    "replaces isinstance": """
import builtins
builtins.isinstance = lambda *a: True
def f(n): return 0
""",
    "replaces json.dumps": """
import json
json.dumps = lambda *a, **k: '{"index": 0, "value": true}'
def f(n): return 0
""",
    "replaces os.write": r"""
import os
real = os.write
os.write = lambda d, b: real(d, b'\0\0\0\x02{}') and len(b)
def f(n): return 0
""",
    "replaces print": """
import builtins
builtins.print = lambda *a, **k: None
def f(n): return 0
""",
    "replaces len and zip": """
import builtins
builtins.len = lambda x: 0
builtins.zip = lambda *a, **k: []
def f(n): return []
""",
    "forges answers on every descriptor": """
import json, os, struct
def f(n):
  for i in range(3):
    m = json.dumps({'index': i, 'value': {'i': '0x1'}}).encode()
    for d in range(3, 16):
      try: os.write(d, struct.pack('!I', len(m)) + m)
      except OSError: pass
  os._exit(0)
""",
    "forges a pass": """
import json, os, struct
for m in ({'finished': True}, {'test': {'passed': True, 'error': None}}, {'passed': 3}):
  b = json.dumps(m).encode(); os.write(4, struct.pack('!I', len(b)) + b)
def f(n): return 0
""",
    "forges broken frames": r"""
import os
os.write(4, b'\xff' * 4000)
def f(n): return 0
""",
    "forges deep JSON": """
import os, struct
b = b'[' * 200000
os.write(4, struct.pack('!I', len(b)) + b)
def f(n): return 0
""",
    "claims that the walls fell": """
import json, os, struct
def f(n): return 0
b = json.dumps({'index': 0, 'value': [[1]]}).encode(); os.write(4, struct.pack('!I', len(b)) + b)
""",
    "blames the sandbox": """
import json, os, struct
b = json.dumps({'walls': 'fell'}).encode(); os.write(4, struct.pack('!I', len(b)) + b)
os._exit(99)
""",
    "closes every descriptor": """
import os
os.closerange(0, 64)
def f(n): return 0
""",
    "answers go to the output": """
import os
os.dup2(1, 4)
def f(n): return 0
""",
    "tampers with sys.modules": """
import sys
sys.modules.clear()
def f(n): return 0
""",
    "import hook": """
import sys
class H:
  def find_spec(s, *a): raise SystemExit(0)
sys.meta_path.insert(0, H())
def f(n):
  import zipapp
""",
    "trace function": """
import sys
sys.settrace(lambda *a: sys.exit(0))
def f(n): return 0
""",
    "another AssertionError": """
import builtins
builtins.AssertionError = type('A', (Exception,), {})
def f(n): return 0
""",
    "replaces its own builtins": """
globals()['__builtins__'] = {}
def f(n): return 0
""",
    "ignores signals": """
import signal
for s in (2, 10, 12, 14, 15, 24):
  signal.signal(s, signal.SIG_IGN)
def f(n): return 0
""",
}

ESCAPES = {
    "network": """
import socket
def f(n): return socket.create_connection(('127.0.0.1', 80), 1)
""",
    "abstract socket": r"""
import socket
def f(n):
  s = socket.socket(socket.AF_UNIX); s.connect('\0x'); return 0
""",
    "netlink socket": """
import socket
def f(n): return socket.socket(16, 3, 0).fileno()
""",
    "subprocess": """
import subprocess
def f(n): return subprocess.run(['true']).returncode
""",
    "os.system": """
import os
def f(n): return os.system('true')
""",
    "multiprocessing": """
import multiprocessing as m
def f(n): p = m.Process(target=print); p.start(); return p.pid
""",
    "execve by ctypes": """
import ctypes
def f(n): return ctypes.CDLL(None).execl(b'/bin/true', b'true', None)
""",
    "kills its parent": """
import os
def f(n): os.kill(os.getppid() or 2, 9); return 0
""",
    "kills everything": """
import os
def f(n): os.kill(-1, 9); return 0
""",
    "writes to the host": "def f(n): open('/usr/planted', 'w').write('x'); return 0",
    "writes to home": """
import os
def f(n): open(os.path.expanduser('~/planted'), 'w'); return 0
""",
    "a link out": """
import os
def f(n): os.symlink('/etc/shadow', '/tmp/l'); return open('/tmp/l').read()
""",
    "a device": """
import os
def f(n): os.mknod('/tmp/d', 0o60600, os.makedev(8, 0)); return 0
""",
    "unshare": """
import ctypes
def f(n): return ctypes.CDLL(None).unshare(0x10000000)
""",
    "mount": """
import ctypes
def f(n): return ctypes.CDLL(None).mount(b'proc', b'/proc', b'proc', 0, 0)
""",
    "ptrace": """
import ctypes
def f(n): return ctypes.CDLL(None).ptrace(16, 1, 0, 0)
""",
    "rare system calls": """
import ctypes
def f(n):
  numbers = (425, 319, 250, 321, 298, 323, 310, 272, 161, 155)
  return sum(ctypes.CDLL(None).syscall(c, 0, 0, 0, 0) for c in numbers)
""",
    "a program in memory": """
import os
def f(n): return os.memfd_create('x')
""",
    "raises its limits": """
import resource
def f(n): resource.setrlimit(resource.RLIMIT_CPU, (99, 99)); return 0
""",
    "setuid": """
import os
def f(n): os.setuid(0); return 0
""",
    "chroot": """
import os
def f(n): os.chroot('/tmp'); return 0
""",
}

FLOODS = {
    "infinite loop": """
def f(n):
  while True: pass
""",
    "infinite loop when loaded": "while True: pass",
    "infinite loop in a big power": "def f(n): return 9 ** 9 ** 9 % 10",
    "catastrophic regular expression": """
import re
def f(n): return re.match('(a+)+$', 'a' * 60 + 'b')
""",
    "infinite recursion": "def f(n): return f(n)",
    "memory": "def f(n): return len(bytearray(4 << 30))",
    "memory, slowly": """
def f(n):
  x = []
  while True: x.append(bytearray(1 << 20))
""",
    "fork bomb": """
import os
def f(n):
  while True: os.fork()
""",
    "thread bomb": """
import threading, time
def f(n):
  for _ in range(10000): threading.Thread(target=time.sleep, args=(9,)).start()
""",
    "output": """
def f(n):
  while True: print('x' * 10000)
""",
    "errors": """
import sys
def f(n):
  for _ in range(1000): sys.stderr.write('x' * 10000)
  return 0
""",
    "a huge answer": "def f(n): return 'x' * (16 << 20)",
    "a huge list": "def f(n): return [0] * 10 ** 6",
    "a huge number": "def f(n): return 1 << (1 << 25)",
    "a deep list": """
def f(n):
  x = []
  for _ in range(100000): x = [x]
  return x
""",
    "a list that holds itself": """
def f(n):
  x = []; x.append(x); return x
""",
    "colliding hashes": "def f(n): return {k * (2 ** 61 - 1) for k in range(1, 3000)}",
    "fills the disk": """
def f(n):
  with open('/tmp/x', 'wb') as o:
    while True: o.write(bytes(1 << 20))
""",
    "fills the inodes": """
def f(n):
  for i in range(10 ** 6): open('/tmp/%d' % i, 'w').close()
""",
    "many descriptors": "def f(n): return [open('/dev/null') for _ in range(10 ** 5)]",
    "an alarm": """
import signal
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
def f(n):
  while True: pass
""",
}

TEXTS = {
    "nothing": "",
    "white space": "  \n\t\n",
    "no program": "The answer is 42.",
    "a NUL character": "def f(n): return 0\0",
    "a lone surrogate": "def f(n): return '\ud800'",
    "very long": "x = 1\n" * 60000,
    "deeply nested": "x = " + "(" * 5000 + ")" * 5000,
    "an endless literal": "x = " + "9" * 50000,
    "only the tests": "assert f(3) == 286",
}

CHEATS = {**ENDINGS, **EQUALITY, **STEALING, **TAMPERING, **ESCAPES, **FLOODS, **TEXTS}

BENIGN = {
    "plain": """
def f(n):
    return (31 * n * n + 7) % 10007
""",
    "class with a method": """
class Solution:
    def f(self, n):
        return (31 * n ** 2 + 7) % 10007
f = Solution().f
""",
    "imports": """
import math, itertools, collections, re, json, random
def f(n):
    return (31 * n * n + 7) % 10007
""",
    "prints while it works": """
import sys
def f(n):
    print('debug', n, file=sys.stderr)
    return (31 * n * n + 7) % 10007
""",
    "recursion": """
def add(a, b):
    return a if b == 0 else add(a + 1, b - 1)
def f(n):
    return add((31 * n * n) % 10007, 7) % 10007
""",
    "generator inside": """
def f(n):
    return sum(31 * n for _ in range(n)) % 10007 + 7 if n < 1 else (sum(31 * n for _ in range(n)) + 7) % 10007
""",
    "decimal and fractions": """
from decimal import Decimal
from fractions import Fraction
def f(n):
    return int((Decimal(31) * n * n + int(Fraction(14, 2))) % 10007)
""",
    "dataclass": """
from dataclasses import dataclass
@dataclass
class P:
    n: int
    def value(self): return (31 * self.n ** 2 + 7) % 10007
def f(n):
    return P(n).value()
""",
    "temporary file": """
import tempfile
def f(n):
    with tempfile.TemporaryFile('w+') as t:
        t.write(str(n)); t.seek(0); n = int(t.read())
    return (31 * n * n + 7) % 10007
""",
    "threads": """
import threading
def f(n):
    out = []
    t = threading.Thread(target=lambda: out.append((31 * n * n + 7) % 10007)); t.start(); t.join()
    return out[0]
""",
    "a pool of threads": """
import queue, threading
from concurrent.futures import ThreadPoolExecutor
def f(n):
    assert threading.current_thread() is threading.main_thread()
    done, lock = queue.Queue(), threading.Lock()
    def square(i):
        with lock:
            done.put(i * i)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(square, [n] * 8))
    return (31 * max(done.get(timeout=1) for _ in range(8)) + 7) % 10007
""",
    "hashes and unique names": """
import hashlib, uuid
def f(n):
    assert hashlib.sha256(b'abc').hexdigest().startswith('ba7816bf') and uuid.uuid4() != uuid.uuid4()
    return (31 * n * n + 7) % 10007
""",
    "asyncio": """
import asyncio
async def g(n):
    await asyncio.sleep(0)
    return (31 * n * n + 7) % 10007
def f(n):
    return asyncio.run(g(n))
""",
    "lru_cache": """
from functools import lru_cache
@lru_cache
def f(n):
    return (31 * n * n + 7) % 10007
""",
    "catches its own errors": """
def f(n):
    try:
        open('/nowhere')
    except OSError:
        pass
    return (31 * n * n + 7) % 10007
""",
    "sorting 100,000 numbers": """
def f(n):
    x = sorted((i * 7919) % 100003 for i in range(100000))
    return (31 * n * n + 7 + x[0]) % 10007
""",
}

BURNERS = {
    "infinite loop when loaded",
    "infinite loop in a big power",
    "catastrophic regular expression",
    "memory, slowly",
    "an alarm",
    "output",
    "answers go to the output",
    "fills the inodes",
}
"""Use up their whole CPU or wall time: run in one mode only, to keep the suite short."""
