"""``python -m tokkit_cli`` is ``tokkit``."""

from tokkit_cli.app import app

if __name__ == "__main__":
    app(prog_name="tokkit")
