#!/usr/bin/env python3
"""unit.gateway-daemon PROGRAM: how umbel-gateway starts and ends, told by its exit status and its port file."""
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None
KEY = "0123456789abcdef0123456789abcdef"
WAIT_S = 30                                     # a bound, never waited for in full


def wait_for(what, is_there):
    until = time.monotonic() + WAIT_S
    while not is_there():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {WAIT_S} s")
        time.sleep(0.01)


class Gateway:
    def __init__(self, folder, *options, env=None):
        self.port_file = os.path.join(folder, "data", "gui-gateway.port")
        self.log = os.path.join(folder, "log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--server.port=0", f"--token.key={KEY}", "--server.reactors=2", *options],
                cwd=folder, stdout=log, stderr=log, env={**os.environ, **(env or {})})

    def output(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.output()}")
        return os.path.exists(self.port_file)

    def port(self):
        wait_for("port file", self.listens)
        with open(self.port_file, encoding="ascii") as f:
            return int(f.read())

    def status(self):
        return self.process.wait(WAIT_S)


class Daemon(unittest.TestCase):
    def start(self, *options, env=None):
        folder = tempfile.TemporaryDirectory(prefix="umbel-gateway-")
        gateway = Gateway(folder.name, *options, env=env)
        self.addCleanup(folder.cleanup)
        self.addCleanup(gateway.process.wait, WAIT_S)
        self.addCleanup(gateway.process.kill)
        return gateway

    def test_a_signal_ends_it_with_0_and_removes_the_port_file(self):
        gateway = self.start()
        self.assertGreater(gateway.port(), 0)
        gateway.process.terminate()
        self.assertEqual(gateway.status(), 0, gateway.output())
        self.assertFalse(os.path.exists(gateway.port_file))

    def test_a_second_signal_ends_it_at_once_with_1(self):
        gateway = self.start("--server.drain-delay=10m")
        gateway.port()
        gateway.process.terminate()
        wait_for("the end begins", lambda: "gateway stopping" in gateway.output())
        gateway.process.terminate()
        self.assertEqual(gateway.status(), 1, gateway.output())

    def test_the_supervisor_hears_that_it_serves_lives_and_stops(self):
        with tempfile.TemporaryDirectory(prefix="umbel-notify-") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            heard.bind(os.path.join(folder, "notify"))
            heard.settimeout(WAIT_S)
            gateway = self.start(env={"NOTIFY_SOCKET": heard.getsockname(), "WATCHDOG_USEC": "60000"})
            self.assertEqual(heard.recv(100), b"READY=1")
            self.assertTrue(gateway.listens())
            self.assertEqual([heard.recv(100), heard.recv(100)], [b"WATCHDOG=1"] * 2)
            gateway.process.terminate()
            said = heard.recv(100)
            while said == b"WATCHDOG=1":
                said = heard.recv(100)
            self.assertEqual(said, b"STOPPING=1")
            self.assertEqual(gateway.status(), 0, gateway.output())

    def test_a_taken_port_ends_it_with_2(self):
        port = self.start().port()
        second = self.start(f"--server.port={port}")
        self.assertEqual(second.status(), 2)
        self.assertIn("another process listens there", second.output())

    def test_values_that_are_wrong_end_it_with_2_and_are_named(self):
        wrong = ["--server.port=99999", "--server.reactors=257", "--umbel.data-dir=", "--core.nodes=ftp://x",
                 "--server.trusted-proxies=zz", "--token.key=short", "--logging.level.gateway=LOUD"]
        for option in wrong:
            gateway = self.start(option)
            self.assertEqual(gateway.status(), 2, option)
            self.assertIn(option[2:].split("=")[0], gateway.output())

    def test_a_folder_that_cannot_be_made_ends_it_with_2(self):
        gateway = self.start("--umbel.data-dir=/proc/self/nowhere")
        self.assertEqual(gateway.status(), 2)
        self.assertIn("data directory", gateway.output())

    def test_options_that_print_end_with_0(self):
        for option, text in [("--help", "--print-config"), ("--version", "umbel-gateway "), ("--print-config", "server.reactors=2"),
                             ("--print-sample", "#umbel.data-dir=data"), ("--print-manual", "| `umbel.data-dir` |")]:
            gateway = self.start(option)
            self.assertEqual(gateway.status(), 0, option)
            self.assertIn(text, gateway.output())


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
