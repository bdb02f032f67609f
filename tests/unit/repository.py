"""A Git repository of specs, for tests of what differs between revisions."""

import subprocess


def git(folder, *arguments):
    """Run Git in a folder, as nobody in particular."""
    who = ("-c", "user.name=anyone", "-c", "user.email=anyone@example.com")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit_all(folder):
    """Make a folder a repository, unless it is one, and commit all of it; return the commit."""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "specs")
    return git(folder, "rev-parse", "HEAD")
