# SPDX-License-Identifier: MIT
"""A python-telegram-bot webhook (Debian's package) that counts messages, in memory.     intake_ptb.py PORT

Counterpart of tests/bench/bench_intake.py.  Its version 13 does not look at the secret header."""
import logging
import sys
import threading

from telegram import Bot, User
from telegram.ext import Filters, MessageHandler, Updater

COUNT = [0]


class NoTelegram(Bot):
    """A bot whose calls to Telegram succeed without one: the webhook's server alone is what is measured."""

    def _post(self, *args, **kwargs):
        return True

    def get_me(self, *args, **kwargs):
        self._bot = User(1, "Bench", True, username="bench_bot")
        return self._bot


def on_message(update, context):
    COUNT[0] += 1


logging.disable(logging.CRITICAL)
updater = Updater(bot=NoTelegram("123456:BENCH"))
updater.dispatcher.add_handler(MessageHandler(Filters.text, on_message))
updater.start_webhook(listen="127.0.0.1", port=int(sys.argv[1]), url_path="hook", webhook_url="http://127.0.0.1/hook")
print("ready", flush=True)
threading.Event().wait()
