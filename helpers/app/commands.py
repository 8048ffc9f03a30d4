"""``python -m helpers app``."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import Any

PASSWORD = "ATELIER_PASSWORD"


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "app",
        help="open the dressing room, a web page on which garments are tried on",
        description=f"Only this machine reaches it, unless --share or --host says so; then with a password: {PASSWORD}, or typed.",
    )
    given = parser.add_argument
    given("--port", type=int, default=8765, help="default 8765; 0 for any that is free")
    given("--host", default="127.0.0.1", help="the address to listen on; default this machine alone")
    given("--share", action="store_true", help="listen on every address of this machine; the same as --host 0.0.0.0")
    given(
        "--wardrobe", default="", metavar="FOLDER", help="garments of your own for the wall: pictures in upper/, lower/, dress/"
    )
    given(
        "--workers",
        type=int,
        default=0,
        help="try-ons at a time; default one a core, up to 4; one where engines with weights are here",
    )
    given(
        "--minutes", type=float, default=30, help="after so many without a request somebody's pictures are deleted; default 30"
    )
    given("--certificate", default="", metavar="FILE", help="for https, with --key")
    given("--key", default="", metavar="FILE", help="of the certificate")
    given("--frames", default="'self'", help="who may show the page in a frame, as in CSP's frame-ancestors")
    given("--leashed", action="store_true", help="close when standard input is closed, as that of a notebook that opened it")
    parser.set_defaults(do=_app, resume="")


def _app(arguments: argparse.Namespace) -> int:
    from helpers.app import serving
    from helpers.app.settings import Settings, is_loopback

    host = "0.0.0.0" if arguments.share else arguments.host
    password = os.environ.get(PASSWORD, "")
    if not password and not is_loopback(host) and sys.stdin is not None and sys.stdin.isatty():
        password = getpass.getpass("Password for the dressing room: ")
    settings = Settings(
        host=host,
        port=arguments.port,
        password=password,
        certificate=arguments.certificate,
        key=arguments.key,
        wardrobe=arguments.wardrobe,
        workers=arguments.workers,
        idle=arguments.minutes * 60,
        frames=arguments.frames,
    )
    if told := serving.warning(settings):
        print(told, file=sys.stderr)
    return serving.run(settings, leashed=arguments.leashed)
