"""What test scripts say of commands and of what they expect; a failure is an AssertionError that says what happened."""

import subprocess


def run(*command, check=True, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def expect(condition, message):
    if not condition:
        raise AssertionError(message)
