"""Regression runs: many notebooks with given parameters, what each must give, and a report of what moved.

``plan`` reads ``runs.toml``; ``job`` is one run in a process of its own, and ``worker`` the inside of that; ``processes`` and ``fleet``
run jobs side by side, here or on Ray; ``running`` begins, goes on and stops; ``verdict`` compares with what is expected; ``report`` and
``page`` write it down, ``expectations`` renews what is expected, and ``commands`` is ``python -m helpers suite``.
"""
