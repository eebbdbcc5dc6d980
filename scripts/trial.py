"""What test scripts say of commands and of what they expect; a failure is an AssertionError that says what happened."""

import re
import subprocess


def run(*command, check=True, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def commands_below(papers, title):
    """What INSTALL.md says to type below a heading."""
    section = papers.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    expect(found, f"nothing to type below '{title}'")
    return "".join(found)
