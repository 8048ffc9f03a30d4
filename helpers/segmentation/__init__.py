"""Masks from clicks: ``clicks`` (points, without any widget), ``paint`` (looking at masks), and the engines: ``superpixel``, embedded, and
``sam`` with ``sam_decoder`` and ``mobile_sam``, published.
"""
